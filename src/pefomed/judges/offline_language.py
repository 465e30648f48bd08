# ruff: noqa: RUF001
"""Which language the offline judge knows: English, and a bare yes or no in some others.

A text is not English if it has letters of another script, or if more of its words are of the lists below
than are English ones. Another language in Latin letters whose words are on no list passes as English.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from pefomed.judges.offline_text import key_of, readable

KNOWN = (
    "English; a bare yes or no also in Chinese, Japanese, Korean, Russian, German, French, Spanish, Italian,"
    " Portuguese, Dutch, Polish, Turkish, Greek, Arabic, Hebrew, Hindi and Thai"
)
"""What the card says it knows."""


@lru_cache(maxsize=1 << 14)
def is_english(text: str) -> bool:
    """Return whether nothing in `text` says that it is of another language; numbers and signs say nothing."""
    text = _SYMBOL.sub(" ", readable(text).casefold())
    if any(map(_is_strange, text)):
        return False
    words = re.findall(r"[^\W\d_]+", text)
    strange = sum(
        word in _OTHERS or (not word.isascii() and word not in _ENGLISH_ALL_THE_SAME) for word in words
    )
    return strange <= sum(word in _ENGLISH for word in words)


def bare_yes_or_no(text: str) -> tuple[str, Literal["yes", "no"]] | None:
    """Return what a text says that is nothing but a yes or a no, in any language of `KNOWN`.

    The first is the word it is said with where the language repeats that of the question (`有`, `没有`): only
    those with the same word can be compared.
    """
    return _YES_OR_NO.get(key_of(text).strip("\u3002,;\xa1\xbf!"))


def _is_strange(letter: str) -> bool:
    """Return whether a letter is of another script than Latin."""
    return unicodedata.category(letter)[0] == "L" and not unicodedata.name(letter, "").startswith(
        ("LATIN", "MODIFIER", "FEMININE", "MASCULINE")
    )


_SYMBOL = re.compile(
    r"(?<![^\W\d_])(?:[\u03b1-\u03c9](?![^\W\d_])|\u03bc(?=(?:g|m|l|s|v|a|mol|gy|sv|ci|kat)(?![^\W\d_])))"
)
"""A single Greek letter is a sign in English: `interferon α`; so is that of `5 μg`."""

_SAYS: Mapping[str, tuple[str, str]] = {
    "": (
        "yes yeah yep y true correct 是 是的 对 对的 對 はい 예 네 да"
        " ja jawohl oui si sì sí sim tak evet ναι نعم כן हाँ"
        " हां ใช่",
        "no nope n false incorrect 否 不 不是 不是的 不对 いいえ 아니오 아니요 нет"
        " nein non não nao nee nej nei nie hayır όχι"
        " لا לא नहीं ไม่ ไม่ใช่",
    ),
    "有": ("有 有的", "没有 没 沒有 无 無"),
    "存在": ("存在", "不存在"),
    "包含": ("包含", "不包含"),
    "可以": ("可以 能", "不可以 不能"),
    "会": ("会 會", "不会 不會"),
    "需要": ("需要", "不需要"),
    "正常": ("正常", "不正常 异常 異常"),
    "ある": ("ある あります", "ない ありません"),
    "있다": ("있다 있습니다", "없다 없습니다"),
}
_YES_OR_NO: dict[str, tuple[str, Literal["yes", "no"]]] = {}
for _word, (_yes, _no) in _SAYS.items():
    for _each in _yes.split():
        _YES_OR_NO.setdefault(_each, (_word, "yes"))
    for _each in _no.split():
        _YES_OR_NO.setdefault(_each, (_word, "no"))

_ENGLISH = frozenset(
    """the of and is are was were this that these those there it its what which where who how why when does
    do did has have had can could with without from for by at to as be not or than any all both either side
    left
    right yes no image patient seen shown show shows present normal abnormal scan view plane organ organs
    lung lungs heart liver kidney kidneys brain chest head abdomen pelvis disease lesion mass tumor""".split()
)
"""Words that say that a text is English."""

_ENGLISH_ALL_THE_SAME = frozenset(
    "sjögren sjögren's ménière ménière's barré behçet müllerian hürthle köhler naïve café façade sézary"
    " röntgen"
    " schönlein löffler wölfflin mönckeberg émile purkyně".split()
)

_OTHERS = frozenset(
    # German
    """der das und ist sind ein eine einer eines einem einen den dem des nicht kein keine keinen keiner mit
    ohne auf im zum zur bei von welche welcher welches welchem was wo wie wird gibt es sie sich auch oder
    rechts
    links rechte rechter rechten rechtes linke linker linken linkes beide beidseits beidseitig oben unten
    vorne hinten ja nein jawohl lunge lungenflügel leber herz niere nieren gehirn kopf bauch becken milz
    magen knochen brustkorb bild bruch erguss befund gutartig bösartig schwarz rot drei vier zwei eins"""
    # French
    """le les une dans est sont avec sans pas quel quelle quels quelles où qui que sur cette ces il elle y
    gauche droite droit oui non aucun aucune poumon poumons foie cœur coeur rein reins cerveau tête ventre
    bassin
    rate estomac os haut bas gauches droits épanchement côté noir blanc blanche noire des du au aux et ou"""
    # Spanish, Portuguese, Italian
    """el los las una uno unos del en es son con sin qué cuál dónde cómo hay esta este izquierdo izquierda
    derecho derecha ambos ambas sí pulmón pulmones hígado corazón riñón riñones cerebro cabeza abdomen bazo
    estómago
    hueso arriba abajo ninguno ninguna negro blanco derrame um uma não sim esquerdo esquerda direito direita
    pulmão pulmões fígado coração rim rins cérebro cabeça baço nenhum nenhuma ambos il gli una uno di che è
    sono con senza quale dove come destro destra sinistro sinistra sì polmone polmoni fegato cuore rene reni
    cervello testa milza stomaco osso nessuno nessuna entrambi superiore inferiore"""
    # Dutch, Scandinavian, Polish, Turkish, Romanian, Czech, Hungarian, Finnish, Indonesian, Vietnamese
    """het een van niet geen wel zijn rechter linker beide nee hart nieren hersenen og och ikke inte høyre
    højre höger venstre vänster nej nei hjerte hjärta lever jest nie tak prawa lewa prawy lewy płuco
    wątroba serce
    nerka evet hayır sağ sol akciğer karaciğer kalp böbrek beyin dreapta stânga plămân ficat inima vpravo
    vlevo plíce játra srdce jobb bal tüdő szív oikea vasen keuhko maksa sydän kanan kiri paru hati jantung
    ginjal không có phải trái gan tim phổi""".split()
) - frozenset(
    "abdomen inferior superior was on or as no a an in is it me he do so to come die sono tim gan sol bal"
    " lever os rate bas"
    " elle sin son es con en et que dove head bazo wel hart ist den des au du le os testa y il um di una"
    " uno rim rot non bruch".split()
)
