import unicodedata

import pytest

from edgekit.catalog.language_words import NAMES
from edgekit.catalog.scripts import SCRIPTS, count_scripts
from edgekit.catalog.stop_words import STOP_WORDS
from edgekit.catalog.written import foreign

TEXTS = {
    "ar": "ما هي عاصمة فرنسا؟",
    "cs": "Jaké je hlavní město a proč je tak velké, když není na mapě?",
    "da": "Hvad er hovedstaden i Danmark, og hvordan kommer jeg derhen?",
    "de": "Was ist die Hauptstadt von Frankreich?",
    "el": "Ποια είναι η πρωτεύουσα της Ελλάδας;",
    "es": "¿Cuál es la capital de Francia y cómo llego hasta allí?",
    "fi": "Minä en tiedä, mitä se on, mutta hän on siellä kanssa.",
    "fr": "Quelle est la capitale de la France et où est-elle ?",
    "he": "מהי בירת צרפת?",
    "hi": "फ्रांस की राजधानी क्या है?",
    "hu": "Mi az a legnagyobb város, és hogy lehet oda eljutni?",
    "id": "Apa ibu kota Prancis dan bagaimana saya bisa ke sana?",
    "it": "Qual è la capitale della Francia e come ci arrivo?",
    "ja": "フランスの首都はどこですか？",
    "ko": "프랑스의 수도는 어디입니까?",
    "nl": "Wat is de hoofdstad van Frankrijk en hoe kom ik er?",
    "no": "Hva er hovedstaden i Norge, og hvordan kommer jeg dit?",
    "pl": "Jaka jest stolica Polski i czy to jest duże miasto?",
    "pt": "Qual é a capital da França e como posso chegar lá?",
    "ro": "Care este capitala României și unde se află pe hartă?",
    "ru": "Какая столица у России и где это находится?",
    "sv": "Vad är huvudstaden i Sverige och hur kommer jag dit?",
    "th": "เมืองหลวงของฝรั่งเศสคืออะไร",
    "tr": "Bu çok güzel bir kitap ama ben daha iyi olan var mı bilmiyorum",
    "uk": "Яка столиця України і де її знайти?",
    "vi": "Thủ đô của nước Pháp là gì và ở đâu?",
    "zh": "法国的首都是哪里？",
}
ENGLISH = "I have been there before, but they would not let me in."

FITTING_ENGLISH = [
    "",
    "42",
    "ok",
    "Paris",
    "Schadenfreude",
    "ist nicht",
    "café naïve résumé façade",
    "je ne sais quoi",
    "Vincent van der Berg, Jan van den Heuvel, Piet van der Laan",
    "Rio de Janeiro, Los Angeles, La Paz, Las Palmas de Gran Canaria, Santiago del Estero",
    "Leonardo da Vinci, Pico della Mirandola, Lorenzo de' Medici",
    "Die Hard, Die Another Day, Live and Let Die",
    "El Niño and La Niña are climate patterns in the Pacific",
    "Müller GmbH, Straße 12, 80331 München",
    "α + β = γ, δ/ε, ζ·η = θ",
    "東京",
    "What does the word Привет mean in English?",
    "Translate 'Ich bin ein Berliner' to English, and say what the word 'nicht' means",
    "for i in range(10):\n    if x is not None and y in z:\n        return self.a[i]",
    "SELECT de, la FROM los WHERE el IS NOT NULL",
    "const el = document.querySelector('#de'); el.on('click', () => { self.es = true })",
    "y = a * sin(x) + b * sin(2 * x); af = sin(af) - sin(x)",
    "MIT license, MIT press, man mit(1), man mit(2), man mit(3)",
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore.",
    "TOTAL 12.50 EUR VISA 1234",
    "😀😀😀",
    "http://www.el.es/de/la?und=1",
    ENGLISH,
]


@pytest.mark.parametrize("tag", TEXTS)
def test_no_text_is_foreign_to_its_own_language(tag):
    assert foreign(TEXTS[tag], [tag]) is None
    assert foreign(TEXTS[tag], [tag.upper() + "-XX"]) is None
    assert {other for other in STOP_WORDS if foreign(TEXTS[tag], [other, tag])} == set()


@pytest.mark.parametrize("tag", TEXTS)
def test_each_text_is_foreign_to_english(tag):
    looks = foreign(TEXTS[tag], ["en"])
    assert looks is not None
    assert NAMES[tag] in looks or tag in ("ar", "hi", "zh")  # letters of several languages
    assert ("in another script" in looks) == (tag in ("ar", "hi", "zh"))


@pytest.mark.parametrize("text", FITTING_ENGLISH)
def test_what_may_be_english_is_not_foreign(text):
    assert foreign(text, ["en"]) is None
    assert foreign(text * 100, ["en"]) is None or text in ("ist nicht", "東京", "je ne sais quoi")


@pytest.mark.parametrize(
    ("text", "languages", "looks"),
    [
        (TEXTS["ru"], ["en"], "looks Russian (35 of 35 letters are Cyrillic)"),
        (TEXTS["ru"] + " hello", ["en"], "looks Russian (35 of 40 letters are Cyrillic)"),
        ("Привет!", ["zh", "en"], "is in another script (6 of 6 letters are Cyrillic)"),
        (TEXTS["ja"], ["zh", "en"], "looks Japanese (13 of 13 letters are kana or Chinese characters)"),
        (TEXTS["de"], ["en"], "looks German (4 of 6 words, like was, ist, die)"),
        (ENGLISH, ["es"], "looks English (7 of 12 words, like have, been, there)"),
        (ENGLISH, ["ru"], "looks English (7 of 12 words, like have, been, there)"),
        ("Jeg og du er ikke til det", ["en"], "looks Danish or Norwegian (7 of 7 words, like jeg, og, du)"),
    ],
)
def test_the_evidence(text, languages, looks):
    assert foreign(text, languages) == looks


def test_at_the_borders():
    assert foreign("Абвгд", ["en"]) is not None  # five letters
    assert foreign("Абвг", ["en"]) is None
    assert foreign("Абвгд abcd", ["en"]) is not None
    assert foreign("Абвгд abcde", ["en"]) is None  # half of the letters
    assert foreign("das ist nicht", ["en"]) is not None  # two beside one of names
    assert foreign("das von nicht", ["en"]) is None
    assert foreign("ci = ti + ai", ["en"]) is None  # no word that is longer than a variable's name
    assert foreign("man " * 9 + "ist nicht " + "xyz " * 60, ["en"]) is None  # man counts three times
    assert foreign(ENGLISH, ["ms"]) is None  # Malay has Latin letters too
    assert foreign("ich bin nicht", ["en"]) is not None
    assert foreign("ich bin nicht the", ["en"]) is not None
    assert foreign("ich bin nicht the with", ["en"]) is None  # three are not twice two
    assert foreign("ich bin nicht " + "xyz " * 27, ["en"]) is not None  # a tenth of the words
    assert foreign("ich bin nicht " + "xyz " * 28, ["en"]) is None


def test_only_the_beginning_is_looked_at():
    assert foreign("x " * 1000 + TEXTS["ru"], ["en"]) is None
    assert foreign("1 " * 990 + TEXTS["ru"], ["en"]) == "looks Russian (17 of 17 letters are Cyrillic)"


@pytest.mark.parametrize("languages", [[], ["xx"], ["en", "xx"], ["gl"], ["ca", "es"]])
def test_nothing_is_said_where_a_language_may_be_like_the_text(languages):
    assert foreign(TEXTS["pt"], languages) is None


def test_a_language_whose_words_are_not_known_still_has_its_letters():
    assert foreign(TEXTS["ru"], ["gl"]) is not None


def test_accents_may_be_marks_of_their_own():
    text = unicodedata.normalize("NFD", TEXTS["fr"] + " très même déjà où à")
    assert foreign(text, ["en"]) == foreign(unicodedata.normalize("NFC", text), ["en"])


def test_the_tables_hold_together():
    assert {tag for script in SCRIPTS.values() for tag in script.languages} <= NAMES.keys()
    assert NAMES.keys() >= STOP_WORDS.keys()
    assert all(word == word.lower() and word.isalpha() for words in STOP_WORDS.values() for word in words)
    assert count_scripts("aé ж ά 漢 か 한 ა ᚠ 1!") == {
        "Latin": 2, "Cyrillic": 1, "Greek": 1, "Chinese characters": 1, "kana": 1, "Hangul": 1, "Georgian": 1,
        "other": 1,
    }  # fmt: skip
