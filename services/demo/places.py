"""Where the sample city's people live and what they are called: districts, streets, names."""

from typing import Final

PROVINCE: Final = "江苏省"
CITY: Final = "苏州市"
GRANTED_DISTRICT: Final = "320508"
"""The district whose persons the health department may see (topics/definitions/grants/health.yaml)."""

# County-level codes of GB/T 2260 with some of their streets.
DISTRICTS: Final = {
    "320505": ("虎丘区", ("狮山路", "塔园路", "滨河路", "何山路")),
    "320506": ("吴中区", ("东吴北路", "宝带西路", "吴中大道", "石湖东路")),
    "320507": ("相城区", ("阳澄湖中路", "采莲路", "人民路北延", "春申湖中路")),
    "320508": ("姑苏区", ("平江路", "十全街", "观前街", "干将东路", "山塘街", "道前街")),
    "320509": ("吴江区", ("鲈乡北路", "流虹路", "中山南路", "笠泽路")),
    "320581": ("常熟市", ("海虞北路", "琴湖路", "枫林路")),
    "320582": ("张家港市", ("人民中路", "长安南路", "沙洲西路")),
    "320583": ("昆山市", ("前进中路", "朝阳西路", "玉山北路")),
    "320585": ("太仓市", ("县府街", "上海东路", "郑和中路")),
}
# Districts merged into today's; numbers issued under their codes stay valid for life.
FORMER_DISTRICTS: Final = {"320508": ("320502", "320503", "320504"), "320509": ("320584",)}
MERGED_IN: Final = 2012

SURNAMES: Final = (
    "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁于董余"
    "苏叶吕魏蒋田杜丁沈姜范江傅钟卢汪戴崔任陆廖"
)
COMPOUND_SURNAMES: Final = ("欧阳", "司马", "上官", "诸葛", "皇甫", "尉迟", "令狐", "慕容")
FEMALE: Final = "芳娜秀英敏静丽艳娟霞燕玲婷雪琳慧颖莹欣怡佳梦雅洁蓉倩萍红兰梅月珍贞"
MALE: Final = "伟强磊军洋勇杰涛明超刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭峰毅建国志文博豪"
EITHER: Final = "晓子安宁思远清和嘉一文乐云天语然"
# Rare characters in names, most of them beyond the Basic Multilingual Plane (four bytes in UTF-8).
RARE: Final = ("𠮷", "𬭎", "𬍛", "𣲗", "𫖯", "𪟝", "𬱖", "𬶋", "堃", "喆", "犇", "淼", "㛃")
MINORITY_NAMES: Final = (
    "阿依古丽·买买提",
    "买买提·吐尔逊",
    "扎西·次仁",
    "古丽娜尔·艾合买提江",
    "布合力其汗·阿卜杜热合曼",
)
FOREIGN_NAMES: Final = ("SMITH JOHN WILLIAM", "MÜLLER ANNA", "TANAKA HIROSHI", "KIM MINSEO")

BRANDS: Final = "恒盛华瑞泰新科源通达鼎丰润东方云智联创安信"
INDUSTRIES: Final = (
    "丝绸纺织", "精密机械", "信息技术", "生物医药", "餐饮管理", "建筑工程", "电子商务", "物流", "文化传媒",
)  # fmt: skip
FORMS: Final = ("有限公司", "股份有限公司", "有限责任公司")
