package govbus;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/** What is done with one record: pure, one instance per thread. */
interface Work {
    /** One record as it was read. */
    record In(String topic, int partition, long offset, long timestamp, byte[] key, byte[] value, Headers headers) {}

    /** One record to write. */
    record Out(String topic, int partition, byte[] key, byte[] value, Header[] headers) {}

    Header[] NO_HEADERS = {};

    void decide(In in, Consumer<Out> write);

    /** Avro behind the five bytes of the Confluent wire format, with Avro's own generic reader and writer. */
    final class Codec {
        final Schema schema;
        private final byte[] prefix;
        private final GenericDatumReader<GenericRecord> reader;
        private final GenericDatumWriter<GenericRecord> writer;
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
        private BinaryDecoder decoder;
        private BinaryEncoder encoder;

        Codec(JsonNode schema, int id) {
            this.schema = new Schema.Parser().parse(schema.toString());
            this.prefix = ByteBuffer.allocate(5).put((byte) 0).putInt(id).array();
            this.reader = new GenericDatumReader<>(this.schema);
            this.writer = new GenericDatumWriter<>(this.schema);
        }

        GenericRecord decode(byte[] framed) {
            try {
                decoder = DecoderFactory.get().binaryDecoder(framed, 5, framed.length - 5, decoder);
                return reader.read(null, decoder);
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }

        byte[] encode(GenericRecord record) {
            try {
                bytes.reset();
                bytes.write(prefix);
                encoder = EncoderFactory.get().directBinaryEncoder(bytes, encoder);
                writer.write(record, encoder);
                encoder.flush();
                return bytes.toByteArray();
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }
}
