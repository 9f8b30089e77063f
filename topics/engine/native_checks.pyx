# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Quality rules on values as they lie in the record; see ``topics.engine.gate_rules`` for the steps."""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.string cimport memcmp

from topics.engine.native_identity cimport Number, birth_date, normalised
from topics.engine.native_value cimport (
    KIND_BOOLEAN,
    KIND_BYTES,
    KIND_DOUBLE,
    KIND_FLOAT,
    KIND_INTEGER,
    KIND_NULL,
    KIND_OTHER,
    KIND_TEXT,
    code_points,
    digits_of,
    space_at,
)

from topics.quality.pattern import MAX_TEXT

DEF OPEN = 0
DEF NOW = 2
DEF FIRST_DAY = -719162
DEF DAYS_END = 2932897
DEF CLOCK_TOLERANCE_MS = 300000

cdef extern from *:
    """
    typedef __int128 govbus_wide;
    """
    ctypedef long long wide "govbus_wide"

cdef Py_ssize_t _most_text = MAX_TEXT
cdef int64_t _TEN[19]
_TEN[0] = 1
for _power in range(1, 19):
    _TEN[_power] = _TEN[_power - 1] * 10
cdef bytes _resident_kind = b"resident_id"
cdef const uint8_t* _resident_text = <const uint8_t*> PyBytes_AS_STRING(_resident_kind)


cdef inline int64_t _scale(int unit) noexcept nogil:
    return 1 if unit == UNIT_DATE else 86400000 if unit == UNIT_MILLIS else 86400000000


cdef inline bint _is_count(const Value* value, int unit) noexcept nogil:
    """``as_count``: a whole number within the years 1 to 9999."""
    cdef int64_t scale = _scale(unit)
    return value.kind == KIND_INTEGER and FIRST_DAY * scale <= value.number < DAYS_END * scale


cdef inline int64_t _floor(int64_t number, int64_t by) noexcept nogil:
    cdef int64_t found = number // by
    return found - 1 if number % by < 0 else found


cdef inline int64_t _moment(int64_t moment_ms, int unit) noexcept nogil:
    """``count_of_ms``."""
    if unit == UNIT_DATE:
        return _floor(_floor(moment_ms, 1000) + 28800, 86400)
    return moment_ms if unit == UNIT_MILLIS else moment_ms * 1000


cdef inline bint _is_blank(const Value* value) noexcept nogil:
    """``is_absent``."""
    cdef const uint8_t* at = value.data
    cdef const uint8_t* end = value.data + value.length
    cdef Py_ssize_t space
    if value.kind != KIND_TEXT:
        return value.kind == KIND_NULL
    while at < end:
        space = space_at(at, end - at)
        if space == 0:
            return False
        at += space
    return True


cdef inline bint _is_text(const Value* value, const uint8_t* text, Py_ssize_t length) noexcept nogil:
    return value.kind == KIND_TEXT and value.length == length and memcmp(value.data, text, length) == 0


cdef int _same(const Value* left, const Value* right) noexcept nogil:
    """``is_same``: 1 or 0, or ASK_RULE where it takes more than bytes to tell."""
    if (
        left.kind == KIND_FLOAT or left.kind == KIND_DOUBLE or left.kind == KIND_OTHER
        or right.kind == KIND_FLOAT or right.kind == KIND_DOUBLE or right.kind == KIND_OTHER
    ):
        return ASK_RULE
    if left.kind != right.kind:
        return 0
    if left.kind == KIND_INTEGER or left.kind == KIND_BOOLEAN:
        return left.number == right.number
    if left.kind == KIND_NULL:
        return 1
    return left.length == right.length and memcmp(left.data, right.data, left.length) == 0


cdef bint _is_code(const CodeTable* table, const uint8_t* text, Py_ssize_t length) noexcept nogil:
    cdef uint32_t place = text_hash(text, length) & table.mask
    cdef int index
    while True:
        index = table.places[place]
        if index < 0:
            return False
        if table.lengths[index] == length and memcmp(table.texts[index], text, length) == 0:
            return True
        place = (place + 1) & table.mask


cdef int _code_list(const Rule* rule, const Value* value) noexcept nogil:
    cdef uint8_t digits[20]
    cdef int length
    if value.kind == KIND_TEXT:
        return PASSES if _is_code(&rule.codes, value.data, value.length) else NOT_IN_CODE_LIST
    if value.kind != KIND_INTEGER:
        return WRONG_TYPE
    length = digits_of(value.number, digits)
    return PASSES if _is_code(&rule.codes, digits, length) else NOT_IN_CODE_LIST


cdef bint _decimal(
    const Value* value, Py_ssize_t* whole, Py_ssize_t* fraction, Py_ssize_t* first
) noexcept nogil:
    """Whether it is plain decimal text; how many digits before and after the point, and where they begin."""
    cdef const uint8_t* text = value.data
    cdef Py_ssize_t at = 0
    if at < value.length and (text[at] == c"+" or text[at] == c"-"):
        at += 1
    first[0] = at
    while at < value.length and c"0" <= text[at] <= c"9":
        at += 1
    whole[0] = at - first[0]
    fraction[0] = 0
    if at < value.length and text[at] == c".":
        at += 1
        fraction[0] = value.length - at
        while at < value.length and c"0" <= text[at] <= c"9":
            at += 1
        if fraction[0] == 0:
            return False
    return at == value.length and 1 <= whole[0] <= 100 and fraction[0] <= 100


cdef int _type(const Rule* rule, const Value* value) noexcept nogil:
    cdef Py_ssize_t whole = 0
    cdef Py_ssize_t fraction = 0
    cdef Py_ssize_t first = 0
    if value.kind == KIND_FLOAT or value.kind == KIND_DOUBLE or value.kind == KIND_OTHER:
        return ASK_RULE
    if rule.kind == TYPE_STRING:
        return PASSES if value.kind == KIND_TEXT else WRONG_TYPE
    if rule.kind == TYPE_INTEGER or rule.kind == TYPE_NUMBER:
        return PASSES if value.kind == KIND_INTEGER else WRONG_TYPE
    if rule.kind == TYPE_BOOLEAN:
        return PASSES if value.kind == KIND_BOOLEAN else WRONG_TYPE
    if rule.kind == TYPE_BYTES:
        return PASSES if value.kind == KIND_BYTES else WRONG_TYPE
    if rule.kind != TYPE_DECIMAL:
        return PASSES if _is_count(value, rule.kind - TYPE_DATE + UNIT_DATE) else WRONG_TYPE
    if value.kind != KIND_TEXT or not _decimal(value, &whole, &fraction, &first):
        return WRONG_TYPE
    if rule.most >= 0 and fraction > rule.most:
        return TOO_LONG
    while whole and value.data[first] == c"0":
        whole -= 1
        first += 1
    return TOO_LONG if rule.least >= 0 and whole > rule.least else PASSES


cdef int _length(const Rule* rule, const Value* value) noexcept nogil:
    cdef Py_ssize_t length
    if value.kind == KIND_OTHER:
        return ASK_RULE
    if value.kind == KIND_TEXT:
        length = code_points(value.data, value.length)
    elif value.kind == KIND_BYTES:
        length = value.length
    else:
        return WRONG_TYPE
    if length < rule.least:
        return TOO_SHORT
    return TOO_LONG if rule.most >= 0 and length > rule.most else PASSES


cdef int _pattern(const Rule* rule, const Value* value) noexcept nogil:
    cdef int state = 0
    cdef Py_ssize_t at
    if value.kind == KIND_OTHER:
        return ASK_RULE
    if value.kind != KIND_TEXT:
        return WRONG_TYPE
    if value.length > _most_text:
        return ASK_RULE
    for at in range(value.length):
        if value.data[at] >= 0x80:
            return ASK_RULE
    for at in range(value.length):
        state = rule.moves[128 * state + value.data[at]]
        if state < 0:
            return PATTERN
    return PASSES if rule.accepting[state] else PATTERN


cdef inline int _compared(int64_t number, int scale, const End* end) noexcept nogil:
    """Whether the number (times ten to the minus scale) is under (-1), over (1) or at the end."""
    cdef wide left = number
    cdef wide right = end.number
    if end.scale > scale:
        left = left * _TEN[end.scale - scale]
    elif scale > end.scale:
        right = right * _TEN[scale - end.scale]
    return -1 if left < right else 1 if left > right else 0


cdef int _range_of_numbers(const Rule* rule, const Value* value) noexcept nogil:
    cdef Py_ssize_t whole = 0
    cdef Py_ssize_t fraction = 0
    cdef Py_ssize_t first = 0
    cdef Py_ssize_t at
    cdef int64_t number = value.number
    if value.kind == KIND_TEXT:
        if not _decimal(value, &whole, &fraction, &first):
            return WRONG_TYPE
        if whole + fraction > 18:
            return ASK_RULE
        number = 0
        for at in range(first, value.length):
            if value.data[at] != c".":
                number = number * 10 + value.data[at] - c"0"
        if value.data[0] == c"-":
            number = -number
    elif value.kind != KIND_INTEGER:
        return ASK_RULE if value.kind == KIND_FLOAT or value.kind == KIND_DOUBLE else WRONG_TYPE
    if rule.low.kind != OPEN and _compared(number, <int> fraction, &rule.low) < 0:
        return BELOW_RANGE
    if rule.high.kind != OPEN and _compared(number, <int> fraction, &rule.high) > 0:
        return ABOVE_RANGE
    return PASSES


cdef int _range(const Rule* rule, const Value* value, int64_t recorded_at) noexcept nogil:
    cdef int64_t end
    if value.kind == KIND_OTHER:
        return ASK_RULE
    if rule.unit == UNIT_NUMBER:
        return _range_of_numbers(rule, value)
    if not _is_count(value, rule.unit):
        return WRONG_TYPE
    if rule.low.kind != OPEN:
        end = _moment(recorded_at, rule.unit) if rule.low.kind == NOW else rule.low.number
        if value.number < end:
            return BELOW_RANGE
    if rule.high.kind != OPEN:
        end = _moment(recorded_at, rule.unit) if rule.high.kind == NOW else rule.high.number
        if value.number > end:
            return ABOVE_RANGE
    return PASSES


cdef int _holds(const Condition* condition, const Value* value) noexcept nogil:
    """1 or 0, or ASK_RULE."""
    cdef int index
    cdef int same
    if not condition.among:
        return _is_blank(value) != condition.present
    for index in range(condition.count):
        same = _same(value, &condition.allowed[index])
        if same:
            return same
    return 0


cdef int _implies(const Rule* rule, const Value* when, const Value* then) noexcept nogil:
    cdef int held = _holds(&rule.when, when)
    if held != 1:
        return held
    held = _holds(&rule.then, then)
    if held < 0:
        return held
    return PASSES if held else IMPLICATION


cdef int _identity(const Rule* rule, const Value* identity, const Value* other, const Value* kind) noexcept nogil:
    cdef Number number
    cdef int64_t born = 0
    cdef uint8_t digits[20]
    cdef const uint8_t* code = other.data
    cdef Py_ssize_t length = other.length
    cdef int wanted
    if identity.kind == KIND_NULL or other.kind == KIND_NULL:
        return PASSES
    if rule.has_third and not _is_text(kind, _resident_text, 11):
        return PASSES
    if identity.kind != KIND_TEXT:
        return ASK_RULE if identity.kind == KIND_OTHER else IDENTITY_UNREADABLE
    if other.kind == KIND_OTHER or not normalised(identity, &number):
        return ASK_RULE
    if not birth_date(&number, &born):
        return IDENTITY_UNREADABLE
    if rule.op == OP_BIRTH_DATE:
        if not _is_count(other, UNIT_DATE):
            return WRONG_TYPE
        return PASSES if other.number == born else BIRTH_DATE_DIFFERS
    if other.kind == KIND_INTEGER:
        length, code = digits_of(other.number, digits), digits
    elif other.kind != KIND_TEXT:
        return WRONG_TYPE
    wanted = 0 if (number.text[16] - c"0") % 2 == 1 else 1
    if rule.codes.lengths[wanted] == length and memcmp(rule.codes.texts[wanted], code, length) == 0:
        return PASSES
    return SEX_DIFFERS


cdef int _timely(const Rule* rule, const Value* value, int64_t recorded_at, int64_t source_at) noexcept nogil:
    cdef int64_t start = source_at
    cdef int64_t delay
    if rule.has_third:
        if not _is_count(value, rule.unit):
            return SOURCE_TIME_UNKNOWN
        start = value.number if rule.unit == UNIT_MILLIS else _floor(value.number, 1000)
    delay = recorded_at - start
    if delay > rule.most:
        return LATE
    return SOURCE_TIME_AHEAD if delay < -CLOCK_TOLERANCE_MS else PASSES


cdef int judge(const Rule* rule, const Value* items, int64_t recorded_at, int64_t source_at) noexcept nogil:
    """What one rule finds; ``items[-1]`` is null."""
    cdef const Value* first = &items[rule.first]
    cdef int same
    if rule.op == OP_REQUIRED:
        return MISSING if _is_blank(first) else PASSES
    if rule.op == OP_TIMELY:
        return _timely(rule, first, recorded_at, source_at)
    if rule.op == OP_IMPLIES:
        return _implies(rule, &items[rule.when.item], &items[rule.then.item])
    if rule.op == OP_ASK:
        return ASK_RULE
    if first.kind == KIND_NULL:
        return PASSES
    if rule.op == OP_CODE_LIST:
        return ASK_RULE if first.kind == KIND_OTHER else _code_list(rule, first)
    if rule.op == OP_LENGTH:
        return _length(rule, first)
    if rule.op == OP_PATTERN:
        return _pattern(rule, first)
    if rule.op == OP_RANGE:
        return _range(rule, first, recorded_at)
    if rule.op == OP_TYPE:
        return _type(rule, first)
    if items[rule.second].kind == KIND_NULL:
        return PASSES
    if rule.op == OP_ORDER:
        if first.kind == KIND_OTHER or items[rule.second].kind == KIND_OTHER:
            return ASK_RULE
        if not _is_count(first, rule.unit) or not _is_count(&items[rule.second], rule.unit):
            return WRONG_TYPE
        return DATE_ORDER if first.number > items[rule.second].number else PASSES
    if rule.op == OP_EQUAL:
        same = _same(first, &items[rule.second])
        return same if same < 0 else PASSES if same else ITEMS_DIFFER
    return _identity(rule, first, &items[rule.second], &items[rule.third])
