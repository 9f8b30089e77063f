"""What each rule of a catalogue says, in both languages: what is wrong, and the remedy."""

from typing import Final

from services.control.catalogue.rules import Rule
from services.control.catalogue.vocabulary import Language

_ZH, _EN = Language.ZH, Language.EN
Said = tuple[str, str]

_SAID: Final[tuple[tuple[Rule, Said, Said], ...]] = (
    (
        Rule.FILE_UNREADABLE,
        ("the file cannot be read: {reason}", "save it as .xlsx or as CSV in UTF-8 and try again"),
        ("文件无法读取：{reason}", "请另存为 .xlsx 或 UTF-8 编码的 CSV 后重试"),
    ),
    (
        Rule.FILE_TOO_LARGE,
        ("the file is larger than is read: {reason}", "divide it, for example by department"),
        ("文件超出可读取的大小：{reason}", "请拆分文件，例如按部门拆分"),
    ),
    (
        Rule.FILE_ENCODING,
        ("the file is neither UTF-8 nor GB 18030", "save it as CSV in UTF-8, or as .xlsx"),
        ("文件既不是 UTF-8 也不是 GB 18030 编码", "请另存为 UTF-8 编码的 CSV 或 .xlsx"),
    ),
    (
        Rule.HEADING_NOT_FOUND,
        ("none of the first rows names the columns", "begin from a file of `govbus catalogue export`"),
        ("前几行中没有列标题", "请以 govbus catalogue export 导出的文件为模板"),
    ),
    (
        Rule.HEADING_MISSING,
        ("the column {field} is missing", "add it, empty where there is nothing to say"),
        ("缺少列“{field}”", "请补上该列，没有内容可留空"),
    ),
    (
        Rule.HEADING_UNKNOWN,
        ("there is no such column", "correct the heading, or delete the column"),
        ("没有这个列", "请更正列标题，或删除该列"),
    ),
    (
        Rule.HEADING_TWICE,
        ("the column {field} stands there twice", "keep one of the two"),
        ("列“{field}”重复", "请保留其中一列"),
    ),
    (
        Rule.NO_ENTRIES,
        ("there is no entry under the headings", "write one row for each item of each entry"),
        ("列标题下没有任何目录", "请按每个信息项一行填写"),
    ),
    (
        Rule.CELL_BESIDE,
        ("the cell stands under no heading", "move it into its column, or delete it"),
        ("该单元格不在任何列标题之下", "请移到对应的列，或删除"),
    ),
    (
        Rule.CELL_FORMULA,
        ("the cell holds a formula", "paste its value as text"),
        ("单元格是公式", "请粘贴为文本值"),
    ),
    (
        Rule.CELL_NOT_TEXT,
        (
            "the cell holds {found}, which loses leading zeros and digits after the 15th",
            "format the column as text and type the value again",
        ),
        ("单元格是{found}，会丢失前导零和第15位之后的数字", "请将该列设为文本格式后重新输入"),
    ),
    (
        Rule.ROW_CONTRADICTS,
        ("row {first} says something else of the same entry: {other}", "say it once, or the same each time"),
        ("与第 {first} 行对同一目录的填写不一致：{other}", "同一目录请只填写一次，或各行填写一致"),
    ),
    (
        Rule.ROW_APART,
        ("rows of this entry stand already at row {first}", "let all rows of one entry follow each other"),
        ("该目录的其他行在第 {first} 行", "同一目录的各行必须连续"),
    ),
    (
        Rule.VALUE_UNKNOWN,
        ("is not in the list", "choose one of: {known}"),
        ("不在可选值之内", "请从下列值中选择：{known}"),
    ),
    (
        Rule.NOT_A_DATE,
        ("is not a date", "write it as 2026-11-26, or leave it empty"),
        ("不是日期", "请按 2026-11-26 的格式填写，或留空"),
    ),
    (
        Rule.NOT_A_NUMBER,
        ("is not a whole number from 1", "write the number of characters or digits"),
        ("不是大于 0 的整数", "请填写字符数或位数"),
    ),
    (
        Rule.TEXT_TOO_LONG,
        ("has {length} characters", "shorten it to {longest}"),
        ("有 {length} 个字符", "请缩短到 {longest} 个字符以内"),
    ),
    (
        Rule.TEXT_UNREADABLE,
        ("holds the character {character}, which other systems cannot show", "type the text again"),
        ("含有其他系统无法显示的字符 {character}", "请重新输入该文字"),
    ),
    (
        Rule.TEXT_PLACEHOLDER,
        ("says nothing", "write what is asked for, or leave it empty where it may be"),
        ("没有实际内容", "请填写实际内容；非必填项请留空"),
    ),
    (
        Rule.MISSING,
        ("{field} is missing", "fill it in"),
        ("未填写“{field}”", "请填写"),
    ),
    (
        Rule.CODE_TOO_SHORT,
        (
            "is too short for a resource code",
            "write 类 (1 digit), 项 (2), 目 (3), 细目, then / and the sequence, such as 101320/000001",
        ),
        ("信息资源代码位数不足", "请按“类1位＋项2位＋目3位＋细目/顺序码”填写，例如 101320/000001"),
    ),
    (
        Rule.CODE_MALFORMED,
        ("is no resource code", "write digits with one / before the sequence, such as 101320/000001"),
        ("不是信息资源代码", "请填写数字，并以 / 分隔顺序码，例如 101320/000001"),
    ),
    (
        Rule.CODE_PARTS_DIFFER,
        ("the code says {other} here", "let 类, 项, 目, 细目 agree with the code, or leave them empty"),
        ("与信息资源代码不一致，代码中为 {other}", "请使类、项、目、细目与代码一致，或留空"),
    ),
    (
        Rule.CODE_CLASS_DIFFERS,
        ("the code begins with {digit}, which is {other}", "correct the class or the code"),
        ("代码以 {digit} 开头，属于{other}", "请更正属性分类或代码"),
    ),
    (
        Rule.CODE_TWICE,
        ("{other} has the same code (row {first})", "give each entry a sequence of its own"),
        ("与“{other}”代码相同（第 {first} 行）", "请为每个目录分配不同的顺序码"),
    ),
    (
        Rule.NAME_IS_A_SYSTEM,
        ("is the name of a system, not of what it holds", "name the data, such as 居住证办理信息"),
        ("是系统名称，不是信息资源名称", "请按数据内容命名，例如“居住证办理信息”"),
    ),
    (
        Rule.NAME_TWICE,
        (
            "{other} of this provider differs by spaces, punctuation or width only (row {first})",
            "delete one of the two, or say in the name what differs",
        ),
        (
            "与同一提供方的“{other}”仅空格、标点或全半角不同（第 {first} 行）",
            "请删除重复目录，或在名称中体现差别",
        ),
    ),
    (
        Rule.PROVIDER_CODE_INVALID,
        (
            "is no unified social credit code ({reason})",
            "copy the 18 characters from the department's certificate",
        ),
        ("不是有效的统一社会信用代码（{reason}）", "请按证书填写 18 位代码"),
    ),
    (
        Rule.PROVIDER_DIFFERS,
        (
            "row {first} pairs name and code of the provider as {other}",
            "let each department have one of each",
        ),
        ("第 {first} 行的提供方名称与代码为 {other}", "同一部门的名称与代码须一致"),
    ),
    (
        Rule.FORMAT_TYPE_MISSING,
        ("the format class {format} needs its type", "write the type, such as {known}"),
        ("已填写格式分类“{format}”，未填写格式类型", "请填写类型，例如 {known}"),
    ),
    (
        Rule.FORMAT_TYPE_DIFFERS,
        ("belongs to {other}, not to {format}", "correct the class or the type"),
        ("属于{other}，不属于{format}", "请更正格式分类或格式类型"),
    ),
    (
        Rule.MODE_DIFFERS,
        ("the format {format} is not shared like that", "choose one of: {known}"),
        ("格式“{format}”不能以该方式共享", "请从下列方式中选择：{known}"),
    ),
    (
        Rule.MODE_OFF_PLATFORM,
        ("is outside the platform", "share over the platform: departments exchange data nowhere else"),
        ("不经共享平台", "请改为共享平台方式，部门间数据交换一律通过平台"),
    ),
    (
        Rule.NO_ITEMS,
        ("the entry has no items", "write one row for each item"),
        ("目录没有信息项", "请按每个信息项一行填写"),
    ),
    (
        Rule.ITEM_TWICE,
        ("the entry has this item already", "delete one of the two, or say in the name what differs"),
        ("该目录已有同名信息项", "请删除重复的信息项，或在名称中体现差别"),
    ),
    (
        Rule.ITEM_LENGTH_MISSING,
        ("an item of the type {type} needs its length", "write how many characters or digits it has"),
        ("数据类型为“{type}”的信息项须填写长度", "请填写字符数或位数"),
    ),
    (
        Rule.CONDITION_MISSING,
        ("{type} needs a condition", "say to whom it is given and how; for 不予共享, why it is not shared"),
        ("“{type}”必须填写共享条件", "请写明共享范围和条件；不予共享的请写明理由"),
    ),
    (
        Rule.CONDITION_NEEDLESS,
        (
            "unconditional sharing has no condition",
            "delete it, or choose 有条件共享 and cite the basis",
        ),
        ("无条件共享不得附加条件", "请删除该条件；确需附加的，改为有条件共享并填写依据"),
    ),
    (
        Rule.USE_MISSING,
        ("conditional sharing says what it may be used for", "choose one of: {known}"),
        ("有条件共享须写明用途", "请从下列用途中选择：{known}"),
    ),
    (
        Rule.BASIS_MISSING,
        ("{type} needs its basis: {field}", "cite document and article, or share unconditionally"),
        ("“{type}”必须填写{field}", "请写明文件名称和条款，否则应无条件共享"),
    ),
    (
        Rule.BASIS_LEVEL_TOO_LOW,
        (
            "is not enough for {type}",
            "cite a basis of one of these levels: {known}; or share unconditionally",
        ),
        ("层级不足以作为“{type}”的依据", "依据层级应为：{known}；否则应无条件共享"),
    ),
    (
        Rule.LICENSING_NOT_UNCONDITIONAL,
        ("what serves licensing or joint approval is shared unconditionally", "choose 无条件共享"),
        ("涉及行政许可或并联审批的信息应无条件共享", "请改为无条件共享"),
    ),
    (
        Rule.NOT_SHARED_BUT_OPEN,
        ("what is not shared is not open to the public", "choose 不予开放, or share it"),
        ("不予共享的信息不得向社会开放", "请改为不予开放，或调整共享类型"),
    ),
    (
        Rule.OPEN_CONDITION_MISSING,
        ("{type} needs its condition or basis", "say on which condition, or by which rule it is not open"),
        ("“{type}”须填写开放条件或依据", "请写明开放条件，或不予开放的依据"),
    ),
    (
        Rule.OPEN_CONDITION_NEEDLESS,
        ("what is open has no condition", "delete it, or choose 有条件开放"),
        ("无条件开放不得附加条件", "请删除该条件，或改为有条件开放"),
    ),
    (
        Rule.LIBRARY_MISSING,
        ("{class_} resources name their library", "choose one of: {known}"),
        ("{class_}须填写所属的库", "请从下列值中选择：{known}"),
    ),
    (
        Rule.LIBRARY_DIFFERS,
        ("is no library of {class_} resources", "choose one of: {known}"),
        ("不是{class_}的库", "请从下列值中选择：{known}"),
    ),
    (
        Rule.LIBRARY_NEEDLESS,
        ("resources of a department stand in no library", "leave it empty, or correct the class"),
        ("部门信息资源不属于任何库", "请留空，或更正属性分类"),
    ),
    (
        Rule.RELATED_TO_ITSELF,
        ("the entry is related to itself", "delete this code"),
        ("关联资源不能是本目录", "请删除该代码"),
    ),
)

WORDING: Final = {rule: {_EN: english, _ZH: chinese} for rule, english, chinese in _SAID}
"""Rule → language → what is wrong and what to do; the facts of a problem fill the braces."""
