package govbus;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.StreamPartitioner;
import org.apache.kafka.streams.processor.TopicNameExtractor;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/** Comparator (d): Kafka Streams doing the same work, exactly once. Usage: Main DESCRIPTION. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        JsonNode description = new ObjectMapper().readTree(new File(arguments[0]));
        KafkaStreams streams = new KafkaStreams(topology(description), settings(description));
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            return org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse
                    .SHUTDOWN_APPLICATION;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }

    private static Topology topology(JsonNode description) {
        List<String> inputs = new ArrayList<>();
        description.get("inputs").forEach(input -> inputs.add(input.asText()));
        boolean fanout = description.get("kind").asText().equals("fanout");
        TopicNameExtractor<byte[], Work.Out> topic = (key, out, context) -> out.topic();
        StreamPartitioner<byte[], Work.Out> partition =
                (name, key, out, count) -> Optional.of(Set.of(out.partition()));
        Serializer<byte[]> bytes = Serdes.ByteArray().serializer();
        Serializer<Work.Out> values = (name, out) -> out.value();
        return new Topology()
                .addSource("in", inputs.toArray(new String[0]))
                .addProcessor(
                        "work", () -> new Step(fanout ? new FanoutWork(description) : new GateWork(description)), "in")
                .addSink("out", topic, bytes, values, partition, "work");
    }

    private static Properties settings(JsonNode description) throws Exception {
        JsonNode kafka = description.get("kafka");
        Properties found = new Properties();
        found.put(StreamsConfig.APPLICATION_ID_CONFIG, description.get("group").asText());
        found.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.get("bootstrap.servers").asText());
        found.put("security.protocol", kafka.get("security.protocol").asText());
        found.put("sasl.mechanism", kafka.get("sasl.mechanism").asText());
        found.put("sasl.jaas.config", "org.apache.kafka.common.security.scram.ScramLoginModule required username=\""
                + kafka.get("sasl.username").asText() + "\" password=\"" + kafka.get("sasl.password").asText() + "\";");
        found.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        found.put(StreamsConfig.STATE_DIR_CONFIG, Files.createTempDirectory("govbus-bench-streams-").toString());
        found.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        found.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        found.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        found.put(StreamsConfig.consumerPrefix("max.poll.records"), description.get("batch_records").asInt());
        found.put(StreamsConfig.consumerPrefix("fetch.max.wait.ms"), 20);
        found.put(StreamsConfig.consumerPrefix("max.partition.fetch.bytes"), 4194304);
        found.put(StreamsConfig.producerPrefix("compression.type"), description.get("compression").asText());
        found.put(StreamsConfig.producerPrefix("linger.ms"), 5);
        found.put(StreamsConfig.producerPrefix("batch.size"), 1000000);
        found.put(StreamsConfig.producerPrefix("buffer.memory"), 134217728L);
        found.put("enable.metrics.push", "false");
        return found;
    }

    /** Hands one record to the work and forwards what it writes. */
    private static final class Step implements Processor<byte[], byte[], byte[], Work.Out> {
        private final Work work;
        private ProcessorContext<byte[], Work.Out> context;

        Step(Work work) {
            this.work = work;
        }

        @Override
        public void init(ProcessorContext<byte[], Work.Out> context) {
            this.context = context;
        }

        @Override
        public void process(Record<byte[], byte[]> record) {
            var place = context.recordMetadata().orElseThrow();
            Work.In in = new Work.In(place.topic(), place.partition(), place.offset(), record.timestamp(),
                    record.key(), record.value(), record.headers());
            work.decide(in, out -> context.forward(
                    new Record<>(out.key(), out, record.timestamp(), new RecordHeaders(out.headers()))));
        }
    }
}
