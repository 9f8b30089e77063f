package govbus;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.common.header.Header;

/** Captured change to a canonical record, or to quarantine with an entry among the stopped keys. */
final class GateWork implements Work {
    private final Map<String, Source> sources = new HashMap<>();

    GateWork(JsonNode description) {
        JsonNode gate = description.get("gate");
        gate.get("sources").forEach(source -> sources.put(source.get("input").asText(), new Source(source, gate)));
    }

    @Override
    public void decide(In in, Consumer<Out> write) {
        sources.get(in.topic()).decide(in, write);
    }

    /** One input topic, compiled. */
    private static final class Source {
        private final JsonNode source;
        private final long policyVersion;
        private final Codec envelope;
        private final Codec canonical;
        private final Codec keys;
        private final Codec quarantined;
        private final Codec stopped;
        private final Schema stateSchema;
        private final Schema scopeSchema;
        private final String kind;
        private final String identity;
        private final List<String[]> items = new ArrayList<>();
        private final List<Checks.Rule> rules = new ArrayList<>();
        private final MessageDigest sha256;

        Source(JsonNode source, JsonNode gate) {
            this.source = source;
            policyVersion = gate.get("policy_version").asLong();
            envelope = new Codec(source.get("envelope_schema"), 0);
            canonical = new Codec(source.get("canonical_schema"), source.get("canonical_schema_id").asInt());
            keys = new Codec(source.get("canonical_key_schema"), source.get("canonical_key_schema_id").asInt());
            quarantined = new Codec(gate.get("quarantined_schema"), gate.get("quarantined_schema_id").asInt());
            stopped = new Codec(gate.get("stopped_schema"), gate.get("stopped_schema_id").asInt());
            stateSchema = canonical.schema.getField("state").schema().getTypes().get(1);
            scopeSchema = canonical.schema.getField("previous").schema().getTypes().get(1);
            kind = source.get("identity").get("kind").asText();
            identity = source.get("identity").get("item").asText();
            source.get("items").forEach(item -> items.add(
                    new String[] {item.get(0).asText(), item.get(1).asText(), item.get(2).asText()}));
            source.get("rules").forEach(rule -> rules.add(Checks.rule(rule, source.get("code_lists"))));
            try {
                sha256 = MessageDigest.getInstance("SHA-256");
            } catch (NoSuchAlgorithmException error) {
                throw new IllegalStateException(error);
            }
        }

        void decide(In in, Consumer<Out> write) {
            GenericRecord change = envelope.decode(in.value());
            GenericRecord row = (GenericRecord) change.get("after");
            GenericRecord state = new GenericData.Record(stateSchema);
            for (String[] item : items) state.put(item[0], Checks.converted(item[2], row.get(item[1])));
            String reason = Checks.identity(kind, state.get(identity).toString(), in.timestamp());
            if (reason != null) {
                stop(in, "identify", "IDENTITY_INVALID", identity + ": " + reason, List.of(), write);
                return;
            }
            List<String> marks = new ArrayList<>(), stops = new ArrayList<>(), details = new ArrayList<>();
            for (Checks.Rule rule : rules) {
                String code = rule.judge().code(state, in.timestamp());
                if (code == null) continue;
                (rule.stops() ? stops : marks).add(rule.id());
                if (rule.stops()) details.add(code + ": " + String.join(", ", rule.items()));
            }
            if (!stops.isEmpty()) stop(in, "assess", "QUALITY", String.join("; ", details), stops, write);
            else accept(in, change, state, marks, write);
        }

        private void accept(In in, GenericRecord change, GenericRecord state, List<String> marks, Consumer<Out> write) {
            GenericRecord origin = (GenericRecord) change.get("source");
            GenericRecord record = new GenericData.Record(canonical.schema);
            String key = kind + ":" + state.get(identity);
            String sequence = origin.get("sequence").toString();
            record.put("operation", switch (change.get("op").toString()) {
                case "c" -> "create";
                case "u" -> "update";
                default -> "read";
            });
            record.put("generation", source.get("generation").asLong());
            record.put("incarnation", 1L);
            record.put("commit", Long.parseLong(sequence.substring(2, sequence.indexOf('"', 2))));
            record.put("ordinal", in.offset());
            record.put("source_time", origin.get("ts_ms"));
            record.put("raw_topic", in.topic());
            record.put("raw_partition", in.partition());
            record.put("raw_offset", in.offset());
            record.put("policy_version", policyVersion);
            record.put("marks", marks);
            record.put("previous_known", true);
            record.put("previous", scope((GenericRecord) change.get("before")));
            record.put("state", state);
            int partition = partition(key);
            GenericRecord entity = new GenericData.Record(keys.schema);
            entity.put("identity", key);
            entity.put("record_id", state.get("id").toString());
            write.accept(new Out(source.get("canonical_topic").asText(), partition, keys.encode(entity),
                    canonical.encode(record), NO_HEADERS));
        }

        private GenericRecord scope(GenericRecord before) {
            if (before == null) return null;
            GenericRecord scope = new GenericData.Record(scopeSchema);
            for (Schema.Field field : scopeSchema.getFields()) scope.put(field.name(), before.get(field.name()));
            return scope;
        }

        private int partition(String key) {
            long first = ByteBuffer.wrap(sha256.digest(key.getBytes(StandardCharsets.UTF_8))).getLong();
            return (int) Long.remainderUnsigned(first, source.get("partitions").asLong());
        }

        private void stop(In in, String step, String reason, String detail, List<String> rules, Consumer<Out> write) {
            GenericRecord record = new GenericData.Record(quarantined.schema);
            record.put("topic", in.topic());
            record.put("partition", in.partition());
            record.put("offset", in.offset());
            record.put("timestamp_ms", in.timestamp());
            record.put("key", ByteBuffer.wrap(in.key()));
            record.put("value", ByteBuffer.wrap(in.value()));
            record.put("headers", headers(in));
            record.put("step", step);
            record.put("reason", reason);
            record.put("detail", detail);
            record.put("rules", rules);
            record.put("policy_version", policyVersion);
            write.accept(new Out(source.get("quarantine_topic").asText(), 0, in.key(), quarantined.encode(record), NO_HEADERS));
            GenericRecord entry = new GenericData.Record(stopped.schema);
            entry.put("last_accepted_known", source.get("stopped_entry").get("last_accepted_known").asBoolean());
            entry.put("first_stopped", in.offset());
            entry.put("last_stopped", in.offset());
            write.accept(new Out(source.get("stopped_topic").asText(), in.partition(), in.key(), stopped.encode(entry), NO_HEADERS));
        }

        private List<GenericRecord> headers(In in) {
            Schema each = quarantined.schema.getField("headers").schema().getElementType();
            List<GenericRecord> found = new ArrayList<>();
            for (Header header : in.headers()) {
                GenericRecord record = new GenericData.Record(each);
                record.put("name", header.key());
                record.put("value", ByteBuffer.wrap(header.value()));
                found.add(record);
            }
            return found;
        }
    }
}
