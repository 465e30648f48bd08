"""Invented names of ten scripts in every form each is written in, and texts that they leave unharmed."""

# ruff: noqa: RUF001

from __future__ import annotations

import itertools
import time
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.datasets.made_dicom import header

from pefomed.deidentify.free_text import mask_known, mask_text
from pefomed.deidentify.people import known_words

# Script -> names (family^given) and a text in which no part of any of them stands for itself.
CORPUS: dict[str, tuple[tuple[str, ...], str]] = {
    "latin": (
        ("Schmidt^Karl", "Müller^Jörg", "Li^Wei", "Łuczak^Żaneta", "Nguyễn^Thị Hoà", "Çelik^Işık",
            "Sørensen^Åse"),
        "Karlsruhe protocol, liver weighted, asea seen; T2 FLAIR 5 mm, L4/5",
    ),
    "greek": (
        ("Παπαδόπουλος^Γιώργος", "Νικολάου^Ελένη"),
        "Ακτινογραφία θώρακος χωρίς παθολογικά ευρήματα",
    ),
    "cyrillic": (("Иванов^Пётр", "Щербань^Оксана"), "Рентген грудной клетки без патологии, ивановский метод"),
    "han": (("王^小明", "张^伟", "欧阳^娜娜", "李^雷"), "左肺较小明显强化，扩张，女王样，桃李杏，伟大"),
    "japanese": (
        ("山田^太郎", "佐々木^さくら", "髙橋^ヨウコ", "鈴木^一"),
        "胸部単純CTで異常なし、高山田園、一般撮影であっただろう",
    ),
    "hangul": (("김^민수", "남궁^민", "이^서연"), "흉부 김치 이민수술 소견 없음, 국민 건강"),
    "arabic": (("الأحمد^محمد", "حسّان^فاطمة"), "صورة الصدر طبيعية، لا كسر، استحسان"),
    "hebrew": (("כהן^דוד", "לוי^שרה"), "צילום חזה תקין ללא שבר, כהנים"),
    "devanagari": (("शर्मा^राजेश", "सिंह^अनीता"), "छाती का एक्स-रे सामान्य है, शर्माना"),
    "thai": (("ใจดี^สมชาย", "ศรีสุข^มาลี"), "ภาพรังสีทรวงอกปกติ ตรวจใจดีมาก"),
}  # fmt: skip
NAMES = [(script, name) for script, (names, _) in CORPUS.items() for name in names]


def forms(name: str) -> Iterator[str]:
    """Yield the parts of a name joined in every way and order, composed and decomposed, in any case."""
    family, given = name.split("^")
    for parts, joint in itertools.product(
        ((family, given), (given, family)), (" ", "_", "-", ", ", "", "__", ".", "\u3000", "^", " \n")
    ):
        joined = joint.join(parts)
        for composed in ("NFC", "NFD", "NFKC"):
            yield unicodedata.normalize(composed, joined)
        yield from (joined.upper(), joined.lower(), joined.title())


def known(name: str, **attributes: str) -> object:
    return known_words(header(SpecificCharacterSet="ISO_IR 192", PatientName=name, **attributes))


@pytest.mark.parametrize(("script", "name"), NAMES)
@pytest.mark.parametrize(
    ("before", "behind"), [("", ""), ("CT ", " chest"), ("CT_", "_1961"), ("5 mm (", ")"), ("胸部CT ", ": 2")]
)
def test_a_name_in_every_form_is_masked_and_nothing_else(
    script: str, name: str, before: str, behind: str
) -> None:
    words = known(name)
    for form in forms(name):
        text, findings = mask_text(f"{before}{form}{behind}", words)
        assert text == f"{before}[known]{behind}", form
        assert [(found.kind, found.text) for found in findings] == [("known", form)], form


@pytest.mark.parametrize(("script", "name"), NAMES)
def test_parts_alone_and_ordinary_text(script: str, name: str) -> None:
    words = known(name)
    ordinary = CORPUS[script][1]
    text, findings = mask_text(ordinary, words)
    assert text == ordinary
    assert {found.kind for found in findings} <= {"known?", "name?"}
    for part in (part for part in name.split("^") if len(part) > 1):
        text, findings = mask_text(f"{ordinary} {part} / {part.upper()} ({ordinary})", words)
        assert text == f"{ordinary} [known] / [known] ({ordinary})", part
        assert [found.text for found in findings if found.kind == "known"] == [part, part.upper()]


@pytest.mark.parametrize(
    ("name", "text", "masked"),
    [
        # Joined to what stands beside it, with a change of case or none.
        ("Schmidt^Karl", "CTSchmidtKarl", "CT[known]"),
        ("Schmidt^Karl", "ctschmidtkarl1961", "ct[known]1961"),
        ("Schmidt^Karl", "THORAXKARLSCHMIDT", "THORAX[known]"),
        ("Li^Wei", "CTLiWei", "CT[known]"),
        ("王^小明", "胸部CT王小明", "胸部CT[known]"),
        ("山田^太郎", "患者山田太郎様の胸部", "患者[known]様の胸部"),
        ("김^민수", "환자김민수는", "환자[known]는"),
        ("ใจดี^สมชาย", "นายสมชาย ใจดี", "นาย[known]"),
        ("כהן^דוד", "לכהן ולדוד", "ל[known] ול[known]"),
        ("الأحمد^محمد", "والأحمد", "و[known]"),
        # Letters that stand for one another beyond doubt.
        ("Müller^Jörg", "CT Mueller Joerg", "CT [known]"),
        ("Mueller^Joerg", "CT Müller, Jörg", "CT [known]"),
        ("Muller^Anna", "CT Mueller", "CT [known]"),
        ("Weiß^Eva", "WEISS", "[known]"),
        ("Bjørnsen^Åse", "Bjoernsen Aase; BJORNSEN ASE", "[known]; [known]"),
        ("Yamada^Tarō", "yamada tarou; TaroYamada; Taro Ueda", "[known]; [known]; [known] Ueda"),
        ("髙橋^渡邉", "高橋渡辺", "[known]"),
        ("張^偉國", "张伟国 CT", "[known] CT"), ("澤田^廣", "沢田広", "[known]"),
        ("Ёлкин^Артём", "Елкин Артем", "[known]"),
        # Double names, particles, apostrophes, prefixes.
        ("Meyer-Lüdenscheidt^Anna", "CT Meyer Lüdenscheidt", "CT [known]"),
        ("Meyer-Lüdenscheidt^Anna", "MEYERLUEDENSCHEIDT; Lüdenscheidt", "[known]; [known]"),
        ("O'Brien^Pat", "OBrien Pat CT", "[known] CT"),
        ("O'Brien^Pat", "O’Brien CT", "[known] CT"),
        ("van der Leyen^Ursula", "VanDerLeyen; the Leyen van", "[known]; the [known] van"),
        ("MacDonald^Ann", "Mac Donald", "[known]"),
        ("Wang^Xiaoming", "Wang Xiao-Ming", "[known]"),
        ("Al-Khatib^Omar", "ALKHATIB; al Khatib", "[known]; [known]"),
        # Initials beside a part of the name, and not without it.
        ("Schmidt^Karl", "K. Schmidt; SchmidtK; K-edge", "[known]; [known]; K-edge"),
        ("Schmidt^K", "Schmidt Kopf; Schmidt K", "[known] Kopf; [known]"),
        # Genitives.
        ("Schmidt^Karl", "Schmidts CT, Schmidt's CT", "[known]s CT, [known]'s CT"),
        ("Doe^John", "does not, do, Doe", "does not, do, [known]"),
        # One person in three scripts.
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "YAMADA; 山田; ヤマダタロウ; ﾔﾏﾀﾞ; あっただろう",
         "[known]; [known]; [known]; [known]; あっただろう"),
        ("山田＾太郎", "山田 / 太郎", "[known] / [known]"),
        ("Li_Wei", "Li seen by Wei", "[known] seen by [known]"),
        ("O'Brien^Pat", "O´Brien; O`Brien", "[known]; [known]"), ("Müller^Jo", "Mu¨ller", "[known]"),
        # Undivided in the header.
        ("山田太郎", "山田 太郎", "[known]"), ("김민수", "김 민수", "[known]"),
        ("Schmidt, Karl", "KarlSchmidt", "[known]"),
        # Not seen, but there; far apart; full width.
        ("Schmidt^Karl", "Sch\u00admidt K\u200barl", "[known]"), ("Schmidt^Karl", "S c h m i d t", "[known]"),
        ("Schmidt^Karl", "Ｓｃｈｍｉｄｔ", "[known]"), ("Schmidt^Karl", "Schmidt-\n Karl", "[known]"),
        # A name that is a common word is masked where it stands for itself.
        ("Long^May", "long axis, may be", "[known] axis, [known] be"),
        ("Chest^Wei", "chest weighted", "[known] weighted"),
        # A title makes a surname of one character.
        ("王^小明", "王先生", "[known]先生"),
    ],
)  # fmt: skip
def test_a_name_in_another_form(name: str, text: str, masked: str) -> None:
    assert mask_text(text, known(name))[0] == masked


@pytest.mark.parametrize(
    ("name", "text", "noted"),
    [
        ("Schmidt^Karl", "Karlsruhe", ["Karlsruhe"]),
        ("Li^Wei", "normal liver", ["liver"]),
        ("王^小明", "女王样", ["女王样"]),
        ("王^小明", "较小明显", ["较小明显"]),
        ("高^明", "升高，明显", ["升高", "升高，明显", "明显"]),
        ("김^민수", "이민수술", ["이민수술"]),
        ("Na^Si", "NaCl", ["NaCl"]),
        ("Иванов^Пётр", "ивановский", ["ивановский"]),
        ("Tobias^Eva", "due to bias", []),
        ("Po^Lee", "Poe", ["Poe"]),
    ],
)
def test_what_is_doubtful_is_noted_and_stays(name: str, text: str, noted: list[str]) -> None:
    left, findings = mask_text(text, known(name))
    assert left == text
    assert [found.text for found in findings if found.kind == "known?"] == noted


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("12345", "[known]"), ("ID12345", "ID[known]"), ("12-345", "[known]"), ("12 345", "[known]"),
        ("0012345", "[known]"), ("CT_12345_chest", "CT_[known]_chest"), ("１２３４５", "[known]"),
        # Another number, or a measure.
        ("123456 and 912345", "[number] and [number]"), ("12.345 mm", "12.345 mm"),
        ("12345.5 mm", "12345.5 mm"),
    ],
)  # fmt: skip
def test_a_patients_number(text: str, masked: str) -> None:
    assert mask_text(text, known("Doe^John", PatientID="12345"))[0] == masked


@pytest.mark.parametrize(
    ("attributes", "text", "masked"),
    [
        ({"PatientID": "A-77"}, "A77, a_77", "[known], [known]"),
        ({"PatientID": "0004711"}, "4711", "[known]"),
        ({"AccessionNumber": "ACC-2024/17"}, "acc202417", "[known]"),
        ({"InstitutionName": "Klinik Sankt Änne"}, "SANKT AENNE, klinik", "[known], klinik"),
        ({"InstitutionName": "東京大学病院"}, "於東京大学病院", "於[known]"),
        ({"PatientBirthDate": "19500102"}, "CT_02011950, 1950.01.02", "CT_[known], [known]"),
        ({"ReferringPhysicianName": "Große^Änne^^Dr."}, "for Dr. Grosse", "for Dr. [known]"),
        ({"OperatorsName": ["Weber^Jo", "Novák^Ana"]}, "by Novak and WEBER", "by [known] and [known]"),
    ],
)
def test_what_else_the_file_says(attributes: dict[str, str], text: str, masked: str) -> None:
    assert mask_text(text, known("Doe^John", **attributes))[0] == masked


def test_placeholders_are_no_names() -> None:
    assert mask_text("Anonymous test of an unknown patient", known("Anonymous^Patient"))[1] == ()


LETTERS = "abeoußäØ 王小明山田やまだﾀﾞ김민수ー々"
LETTERS += "कि\u093cश\u0308\u0301\u200b\u1112\u1161\u11abﬁ²½١2_-.^=,'\n3ÇİıשלםΣςก์ใ"


@given(st.text(LETTERS, max_size=12), st.text(LETTERS, max_size=30))
def test_only_what_is_listed_is_taken_out(name: str, text: str) -> None:
    left, findings = mask_known(
        text, known_words(header(SpecificCharacterSet="ISO_IR 192", PatientName=name))
    )
    for found in findings:
        if found.kind == "known":
            left = left.replace("[known]", found.text, 1)
    assert left == text


@pytest.mark.parametrize(
    ("name", "text"), [("Na^Na Na", "na" * 5000), ("Li^Lili", "Li lili " * 1000), ("王^王王", "王" * 5000)]
)
def test_a_text_of_a_names_own_parts_takes_time_that_grows_with_its_length(name: str, text: str) -> None:
    # A fifth of the first took 15 seconds. Of processor time, not of the clock's.
    words = known(name)
    began = time.process_time()
    assert mask_text(text, words)[1]
    assert time.process_time() - began < 15
