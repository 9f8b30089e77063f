package govbus;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/** Canonical record to one record per grant: rows, projection, mask, key, headers. */
final class FanoutWork implements Work {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    private final Codec values;
    private final Codec keys;
    private final List<Grant> grants = new ArrayList<>();

    FanoutWork(JsonNode description) {
        JsonNode fanout = description.get("fanout");
        values = new Codec(fanout.get("canonical_schema"), 0);
        keys = new Codec(fanout.get("canonical_key_schema"), 0);
        fanout.get("grants").forEach(grant -> grants.add(new Grant(grant)));
    }

    @Override
    public void decide(In in, Consumer<Out> write) {
        GenericRecord envelope = values.decode(in.value());
        GenericRecord entity = keys.decode(in.key());
        GenericRecord state = (GenericRecord) envelope.get("state");
        String time = TIME.format(Instant.ofEpochMilli((Long) envelope.get("source_time")));
        for (Grant grant : grants) {
            if (grant.covers(state)) write.accept(grant.out(in.partition(), entity, envelope, state, time));
        }
    }

    /** One grant, compiled. */
    private static final class Grant {
        private final String topic;
        private final List<String> items = new ArrayList<>();
        private final Map<String, UnaryOperator<Object>> masks = new HashMap<>();
        private final Map<String, Set<String>> rows = new HashMap<>();
        private final Codec values;
        private final Codec keys;
        private final Mac secret;
        private final List<String> names = new ArrayList<>();
        private final List<List<String>> templates = new ArrayList<>();

        Grant(JsonNode grant) {
            topic = grant.get("topic").asText();
            grant.get("items").forEach(item -> items.add(item.asText()));
            grant.get("masks").properties().forEach(mask -> masks.put(mask.getKey(), mask(mask.getValue())));
            grant.get("rows").forEach(row -> {
                Set<String> allowed = new HashSet<>();
                row.get(1).forEach(value -> allowed.add(value.asText()));
                rows.put(row.get(0).asText(), allowed);
            });
            values = new Codec(grant.get("value_schema"), grant.get("value_schema_id").asInt());
            keys = new Codec(grant.get("key_schema"), grant.get("key_schema_id").asInt());
            secret = mac(grant.get("secret").asText());
            grant.get("headers").forEach(header -> {
                names.add(header.get(0).asText());
                templates.add(List.of(header.get(1).asText().split("[{}]", -1)));
            });
        }

        boolean covers(GenericRecord state) {
            for (var row : rows.entrySet()) {
                if (!row.getValue().contains(String.valueOf(state.get(row.getKey())))) return false;
            }
            return true;
        }

        Out out(int partition, GenericRecord entity, GenericRecord envelope, GenericRecord state, String time) {
            GenericRecord chosen = new GenericData.Record(values.schema);
            for (String item : items) {
                Object value = state.get(item);
                UnaryOperator<Object> mask = masks.get(item);
                chosen.put(item, mask == null || value == null ? value : mask.apply(value));
            }
            Header[] headers = new Header[names.size()];
            for (int number = 0; number < headers.length; number++) {
                String text = filled(templates.get(number), envelope, time);
                headers[number] = new RecordHeader(names.get(number), text.getBytes(StandardCharsets.UTF_8));
            }
            return new Out(topic, partition, key(entity), values.encode(chosen), headers);
        }

        /** Texts stand at even places of a template, names of fields at odd ones. */
        private static String filled(List<String> template, GenericRecord envelope, String time) {
            if (template.size() == 1) return template.get(0);
            StringBuilder text = new StringBuilder();
            for (int place = 0; place < template.size(); place++) {
                String part = template.get(place);
                if (place % 2 == 0) text.append(part);
                else text.append(part.equals("source_time") ? time : envelope.get(part));
            }
            return text.toString();
        }

        private byte[] key(GenericRecord entity) {
            if (secret == null) return keys.encode(entity);
            byte[][] parts = {bytes("record-key"), bytes(entity.get("identity")), bytes(entity.get("record_id"))};
            for (byte[] part : parts) {
                secret.update(ByteBuffer.allocate(4).putInt(part.length).array());
                secret.update(part);
            }
            GenericRecord key = new GenericData.Record(keys.schema);
            key.put("pseudonym", HexFormat.of().formatHex(secret.doFinal()).substring(0, 32));
            return keys.encode(key);
        }
    }

    private static byte[] bytes(Object text) {
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static Mac mac(String hexadecimal) {
        if (hexadecimal.isEmpty()) return null;
        try {
            Mac made = Mac.getInstance("HmacSHA256");
            made.init(new SecretKeySpec(HexFormat.of().parseHex(hexadecimal), "HmacSHA256"));
            return made;
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    private static UnaryOperator<Object> mask(JsonNode mask) {
        int first = mask.path("keep_first").asInt(), last = mask.path("keep_last").asInt();
        return switch (mask.get("kind").asText()) {
            case "partial" -> value -> partial(value.toString(), first, last);
            case "year" -> value ->
                    (int) LocalDate.ofEpochDay((Integer) value).withDayOfYear(1).toEpochDay();
            case "district" -> value -> value.toString().substring(0, Math.min(6, value.toString().length()));
            case "drop" -> value -> null;
            default -> throw new IllegalArgumentException(mask.toString());
        };
    }

    private static String partial(String text, int first, int last) {
        int length = text.codePointCount(0, text.length());
        int hidden = length - first - last;
        if (hidden <= 0) return "*".repeat(length);
        int from = text.offsetByCodePoints(0, first), to = text.offsetByCodePoints(from, hidden);
        return text.substring(0, from) + "*".repeat(hidden) + text.substring(to);
    }
}
