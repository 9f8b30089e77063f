package govbus;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.avro.generic.GenericRecord;

/** Check digits and quality rules over one record's items. */
final class Checks {
    private static final int[] RESIDENT_WEIGHTS = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    private static final String CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    private static final int[] CREDIT_WEIGHTS = {1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28};
    private static final String ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    private static final int[] ORGANISATION_WEIGHTS = {3, 7, 9, 10, 5, 8, 4, 2};
    private static final Set<String> PROVINCES = Set.of("11", "12", "13", "14", "15", "21", "22", "23", "31", "32",
            "33", "34", "35", "36", "37", "41", "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62",
            "63", "64", "65", "71", "81", "82", "83");
    private static final Pattern RESIDENT = Pattern.compile("[0-9]{17}[0-9X]");
    private static final Pattern CREDIT =
            Pattern.compile("[" + CREDIT_ALPHABET + "]{2}[0-9]{6}[" + CREDIT_ALPHABET + "]{10}");
    private static final Pattern DECIMAL = Pattern.compile("[+-]?[0-9]{1,100}(?:\\.[0-9]{1,100})?");

    private Checks() {}

    /** What is wrong by a rule, or null. */
    interface Judge {
        String code(GenericRecord items, long timestamp);
    }

    record Rule(String id, boolean stops, List<String> items, Judge judge) {}

    static String identity(String kind, String number, long timestamp) {
        return kind.equals("resident_id") ? resident(number, day(timestamp)) : credit(number);
    }

    private static long day(long timestamp) {
        return Math.floorDiv(timestamp + 28800000L, 86400000L);
    }

    private static String resident(String number, long today) {
        if (!RESIDENT.matcher(number).matches()) return number.length() == 18 ? "CHARACTERS" : "LENGTH";
        if (!PROVINCES.contains(number.substring(0, 2)) && number.charAt(0) != '9') return "PROVINCE_UNKNOWN";
        LocalDate born = born(number);
        if (born == null) return "BIRTH_DATE_NOT_REAL";
        if (born.getYear() < 1850) return "BIRTH_DATE_BEFORE_1850";
        if (born.toEpochDay() > today) return "BIRTH_DATE_IN_FUTURE";
        char check = "10X98765432".charAt(weighted(number, 0, "0123456789", RESIDENT_WEIGHTS) % 11);
        return check == number.charAt(17) ? null : "CHECK_DIGIT";
    }

    private static String credit(String code) {
        if (!CREDIT.matcher(code).matches()) return code.length() == 18 ? "FORM" : "LENGTH";
        int sum = Math.floorMod(-weighted(code, 0, CREDIT_ALPHABET, CREDIT_WEIGHTS), 31);
        if (CREDIT_ALPHABET.charAt(sum) != code.charAt(17)) return "CHECK_DIGIT";
        int eight = Math.floorMod(-weighted(code, 8, ORGANISATION_ALPHABET, ORGANISATION_WEIGHTS), 11);
        return "0123456789X".charAt(eight) == code.charAt(16) ? null : "ORGANISATION_CHECK_DIGIT";
    }

    private static LocalDate born(String number) {
        try {
            return LocalDate.of(Integer.parseInt(number.substring(6, 10)), Integer.parseInt(number.substring(10, 12)),
                    Integer.parseInt(number.substring(12, 14)));
        } catch (DateTimeException error) {
            return null;
        }
    }

    private static int weighted(String text, int from, String alphabet, int[] weights) {
        int sum = 0;
        for (int place = 0; place < weights.length; place++) {
            sum += alphabet.indexOf(text.charAt(from + place)) * weights[place];
        }
        return sum;
    }

    static Object converted(String conversion, Object value) {
        if (value == null || conversion.equals("none")) return value;
        String text = value.toString().strip();
        if (conversion.equals("trim")) return text;
        StringBuilder narrow = new StringBuilder(text.length());
        for (int place = 0; place < text.length(); place++) {
            char each = text.charAt(place);
            narrow.append(each >= 0xFF01 && each < 0xFF5F ? (char) (each - 0xFEE0) : Character.toUpperCase(each));
        }
        return narrow.toString();
    }

    static Rule rule(JsonNode declared, JsonNode lists) {
        List<String> items = new ArrayList<>();
        declared.get("items").forEach(item -> items.add(item.asText()));
        boolean stops = declared.get("severity").asText().equals("stop");
        return new Rule(declared.get("id").asText(), stops, items, judge(declared, lists));
    }

    private static Judge judge(JsonNode rule, JsonNode lists) {
        String item = rule.path("item").asText();
        return switch (rule.get("rule").asText()) {
            case "required" -> (items, ms) ->
                    items.get(item) == null || items.get(item).toString().isBlank() ? "MISSING" : null;
            case "length" -> length(item, rule.get("min").asInt(), rule.get("max").asInt());
            case "pattern" -> pattern(item, Pattern.compile(rule.get("pattern").asText()));
            case "code_list" -> codes(item, lists.get(rule.get("list").asText() + "@" + rule.get("version").asText()));
            case "range" -> range(item, rule.get("min"), rule.get("max"));
            case "type" -> decimal(item, rule.get("precision").asInt(), rule.get("scale").asInt());
            case "date_order" -> order(rule.get("earlier").asText(), rule.get("later").asText());
            case "identity_birth_date" ->
                    birth(rule.get("identity_item").asText(), rule.get("birth_date_item").asText());
            case "identity_sex" -> sex(rule.get("identity_item").asText(), rule.get("sex_item").asText());
            default -> throw new IllegalArgumentException(rule.toString());
        };
    }

    private static Judge length(String item, int least, int most) {
        return (items, ms) -> {
            if (items.get(item) == null) return null;
            String text = items.get(item).toString();
            int length = text.codePointCount(0, text.length());
            return length < least ? "TOO_SHORT" : length > most ? "TOO_LONG" : null;
        };
    }

    private static Judge pattern(String item, Pattern pattern) {
        return (items, ms) ->
                items.get(item) == null || pattern.matcher(items.get(item).toString()).matches() ? null : "PATTERN";
    }

    private static Judge codes(String item, JsonNode list) {
        Set<String> codes = new HashSet<>();
        list.forEach(code -> codes.add(code.asText()));
        return (items, ms) ->
                items.get(item) == null || codes.contains(items.get(item).toString()) ? null : "NOT_IN_CODE_LIST";
    }

    private static Judge range(String item, JsonNode least, JsonNode most) {
        BigDecimal low = least.isNull() ? null : new BigDecimal(least.asText());
        boolean now = most.asText().equals("now");
        BigDecimal high = most.isNull() || now ? null : new BigDecimal(most.asText());
        return (items, ms) -> {
            if (items.get(item) == null) return null;
            BigDecimal value = new BigDecimal(items.get(item).toString());
            if (low != null && value.compareTo(low) < 0) return "BELOW_RANGE";
            BigDecimal top = now ? BigDecimal.valueOf(day(ms)) : high;
            return top != null && value.compareTo(top) > 0 ? "ABOVE_RANGE" : null;
        };
    }

    private static Judge decimal(String item, int precision, int scale) {
        return (items, ms) -> {
            if (items.get(item) == null) return null;
            String text = items.get(item).toString();
            if (!DECIMAL.matcher(text).matches()) return "WRONG_TYPE";
            BigDecimal value = new BigDecimal(text);
            boolean fits = value.scale() <= scale && value.precision() - value.scale() <= precision - scale;
            return fits ? null : "TOO_LONG";
        };
    }

    private static Judge order(String earlier, String later) {
        return (items, ms) -> {
            Integer first = (Integer) items.get(earlier), second = (Integer) items.get(later);
            return first != null && second != null && first > second ? "DATE_ORDER" : null;
        };
    }

    private static Judge birth(String number, String date) {
        return (items, ms) -> {
            if (items.get(date) == null) return null;
            LocalDate born = born(items.get(number).toString());
            return born != null && born.toEpochDay() == (Integer) items.get(date) ? null : "BIRTH_DATE_DIFFERS";
        };
    }

    private static Judge sex(String number, String sex) {
        return (items, ms) -> {
            if (items.get(sex) == null) return null;
            String stated = (items.get(number).toString().charAt(16) - '0') % 2 == 1 ? "1" : "2";
            return stated.equals(items.get(sex).toString()) ? null : "SEX_DIFFERS";
        };
    }
}
