"""Provinces and county-level areas of GB/T 2260, as far as identifiers need them.

The provinces are all there. The county-level table (`counties.py`) is not the whole country: it is complete
for the provinces in `COMPLETE_PROVINCES` only. No refusal ever rests on it, because a resident number
keeps the area code of its first issue for life, also when that area is merged or renamed.
"""

from typing import Final

from topics.identity.counties import ABOLISHED_COUNTIES, COMPLETE_PROVINCES, COUNTIES
from topics.identity.kinds import IdentityNote

PROVINCES: Final = {
    "11": "北京市",
    "12": "天津市",
    "13": "河北省",
    "14": "山西省",
    "15": "内蒙古自治区",
    "21": "辽宁省",
    "22": "吉林省",
    "23": "黑龙江省",
    "31": "上海市",
    "32": "江苏省",
    "33": "浙江省",
    "34": "安徽省",
    "35": "福建省",
    "36": "江西省",
    "37": "山东省",
    "41": "河南省",
    "42": "湖北省",
    "43": "湖南省",
    "44": "广东省",
    "45": "广西壮族自治区",
    "46": "海南省",
    "50": "重庆市",
    "51": "四川省",
    "52": "贵州省",
    "53": "云南省",
    "54": "西藏自治区",
    "61": "陕西省",
    "62": "甘肃省",
    "63": "青海省",
    "64": "宁夏回族自治区",
    "65": "新疆维吾尔自治区",
    "71": "台湾省",
    "81": "香港特别行政区",
    "82": "澳门特别行政区",
}

# Residence permits of Hong Kong, Macao and Taiwan residents; 83 exists in these numbers alone.
PERMIT_AREAS: Final = {"81": "香港", "82": "澳门", "83": "台湾"}
_WHOLE_AREAS: Final = frozenset({"710000", "810000", "820000", "830000"})


def county_note(code: str) -> IdentityNote | None:
    """Return what is to be noted of a six-digit county-level code, None if it is a current one."""
    if code in COUNTIES or code in _WHOLE_AREAS:
        return None
    if code in ABOLISHED_COUNTIES:
        return IdentityNote.COUNTY_ABOLISHED
    covered = code[:2] in COMPLETE_PROVINCES or code[:2] in PERMIT_AREAS
    return IdentityNote.COUNTY_UNKNOWN if covered else IdentityNote.COUNTY_NOT_CHECKED
