"""What people ask a model to do, in English words, and which tasks of the catalogue do it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Modality = Literal["picture", "text", "sound"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of work.

    Attributes:
        told: in words.
        modality: what it starts from.
        tasks: of cards that are made for it; none where nothing in a catalogue of edgekit is.
        asked: tasks of cards that can be asked for it in words, as a model that answers questions can.
    """

    told: str
    modality: Modality
    tasks: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()


_VLM, _LLM = ("vision_language",), ("generate",)
KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "detect": Kind("object detection", "picture", ("detect",), _VLM),
        "classify": Kind("image classification", "picture", ("classify",), _VLM),
        "presence": Kind(
            "telling whether something is in a picture", "picture", ("classify", "detect"), _VLM
        ),
        "count": Kind("counting", "picture", ("detect",), _VLM),
        "identify": Kind("telling who a person is", "picture"),
        "read": Kind("reading text", "picture", ("ocr",), _VLM),
        "turn": Kind("telling which way up a line of text is", "picture", ("ocr",)),
        "ask": Kind("answering questions about pictures", "picture", _VLM),
        "segment": Kind("segmentation", "picture"),
        "pose": Kind("pose estimation", "picture"),
        "depth": Kind("estimating depth", "picture"),
        "draw": Kind("making pictures", "picture"),
        "enhance": Kind("improving pictures", "picture"),
        "match_pictures": Kind("finding similar pictures", "picture"),
        "chat": Kind("conversation", "text", _LLM, _VLM),
        "generate": Kind("text generation", "text", _LLM, _VLM),
        "translate": Kind("translation", "text", (), _LLM),
        "summarise": Kind("summaries", "text", (), _LLM),
        "extract": Kind("taking facts out of texts", "text", (), _LLM),
        "classify_text": Kind("text classification", "text", ("classify",), _LLM),
        "entail": Kind("natural language inference", "text", ("classify",), _LLM),
        "zero_shot": Kind("zero-shot text classification", "text", ("classify",), _LLM),
        "fill_mask": Kind("filling in masked words", "text", ("fill_mask",)),
        "embed": Kind("sentence embeddings", "text", ("embed",)),
        "transcribe": Kind("speech recognition", "sound", ("transcribe",)),
        "activity": Kind("detecting speech", "sound", ("activity",)),
        "diarize": Kind("telling who spoke when", "sound", ("diarize",)),
        "separate": Kind("separating voices", "sound"),
        "speak": Kind("speech synthesis", "sound"),
        "identify_voice": Kind("telling who speaks", "sound"),
        "classify_sound": Kind("classifying sounds", "sound"),
        "spot_word": Kind("spotting a spoken word", "sound"),
    }
)
"""Name, as ``--task`` has it → what it is."""

_TEXTS = (
    r"(?:sentences?|texts?|documents?|articles?|questions?|paragraphs?|passages?|notes?|tickets?|e-?mails?)"
)
_PICTURES = r"(?:pictures?|photos?|images?|photographs?|art\w*|illustrations?|logos?)"
_SPOKEN = r"(?:speech|voices?|talking|speaking|silence)"

RULES: Final[tuple[tuple[str, str], ...]] = (  # the first of two that overlap
    (
        "separate",
        r"(?:separat|unmix|isolat|split)\w*(?=(?: \w+){0,4} (?:voices?|speakers?|talkers|sources?|tracks?|instruments?|vocals?))"
        r"|(?:source|speech|voice) separation|denois\w+|(?:remov\w+|suppress\w*|cancel\w*) (?:the )?(?:background )?noise"
        r"|noise (?:removal|suppression|reduction|cancell?ation)|speech enhancement|cocktail party",
    ),
    (
        "diarize",
        r"who (?:spoke|speaks|is speaking|was speaking|talk(?:s|ed)|is talking|said what)(?: and)?(?: when)?|diari[sz]\w+"
        r"|speaker (?:turns?|changes?|segmentation|labels?|attribution)|(?:tell|keep) (?:the )?speakers apart"
        r"|which (?:speaker|person) (?:spoke|is speaking|speaks|talks|said)",
    ),
    (
        "identify_voice",
        r"speaker (?:identification|verification|recognition|id)|whose voice|voice (?:biometrics|id|identification)"
        r"|recogni[sz]\w+ (?:\w+ ){1,3}by (?:their|his|her|the) voices?",
    ),
    ("spot_word", r"wake[ -]?words?|keyword spotting|hot ?words?|(?:voice|spoken|speech) commands?"),
    ("speak", r"text[- ]to[- ]speech|tts|read\w* (?:\w+ ){0,3}aloud|(?:speech|voice) synthesis|voice cloning"),
    (
        "transcribe",
        r"transcri\w+|(?:speech|voice|audio)[- ]to[- ]text|(?:speech|voice) recognition|asr|stt|subtitl\w+|dictat\w+"
        r"|voice typing|(?:turn|convert)\w* (?:\w+ ){0,3}(?:speech|voice\w*|audio|recordings?|interviews?)(?: \w+){0,4}? (?:in)?to text"
        r"|(?:write|type) down what (?:is|was|people|they|he|she)\w* \w+|recogni[sz]\w+ (?:spoken|speech)(?: \w+)?"
        r"|closed captions?|minutes of (?:the |a )?meetings?",
    ),
    (
        "activity",
        rf"(?:voice|speech) activity(?: detect\w+)?|vad|(?:detect|find|spot|notic)\w* (?:\w+ ){{0,2}}?{_SPOKEN}"
        rf"|{_SPOKEN} detect\w+|(?:when|whether|if|unless|until|while) (?:someone|somebody|anybody|anyone|people|a person|nobody)"
        rf"(?: is| are| starts?)? (?:speak|talk)\w*|is (?:anyone|anybody|someone|somebody) (?:speaking|talking)"
        r"|(?:cut|trim|skip|remov)\w* (?:out )?(?:the )?silen(?:ces?|t (?:parts?|passages?))|speech or (?:silence|noise|music)|endpointing",
    ),
    (
        "classify_sound",
        r"(?:sound|audio|music|noise) (?:classif\w+|events?|recognition|tagging|genres?)(?: detect\w+)?"
        r"|(?:detect|hear|recogni[sz]|notic|spot)\w* (?:\w+ ){0,2}(?:glass break\w*|bark\w*|sirens?|gunshots?|cough\w*|alarms?)",
    ),
    ("translate", r"translat\w+|interpret(?:er|ing)"),
    ("summarise", r"summari[sz]\w+|summary|summaries|tl;?dr|condens\w+|shorten"),
    ("entail", r"entail\w*|natural[- ]language inference|nli|contradict\w*|follows? from|textual inference"),
    ("zero_shot", r"zero[- ]shot(?: text)?(?: classif\w+)?"),
    (
        "fill_mask",
        r"(?:fill|guess|predict)\w*(?:[- ]in)? (?:the )?(?:masked|missing|blanked)(?: \w+)?|fill[- ]?(?:in[- ])?(?:the[- ])?(?:masks?|blanks?)"
        r"|masked (?:words?|tokens?|language model\w*)|cloze|masked[- ]lm",
    ),
    (
        "match_pictures",
        rf"similar (?:look\w+ )?{_PICTURES}|{_PICTURES} (?:search|similarity|retrieval|embeddings?)|reverse image \w+"
        rf"|duplicate {_PICTURES}|search (?:my |our |for )?{_PICTURES}",
    ),
    (
        "embed",
        rf"(?:sentence |text |word )?embedd\w+|semantic(?:ally)? (?:search\w*|similar\w*|retriev\w*|match\w*)"
        rf"|sentence (?:vectors?|similarity)|similar\w* (?:of |between |meanings? of )?{_TEXTS}|(?:near[- ]?)?duplicate {_TEXTS}"
        rf"|near[- ]duplicates?|vector (?:search|database)|retriev\w+|cluster\w*|group(?:ing)?(?: (?!of\b)\w+){{0,3}} {_TEXTS}|search\w* (?:\w+ ){{0,4}}by meaning"
        rf"|find\w*(?: \w+){{1,5}}? {_TEXTS} (?:(?:that|which) )?(?:answers?|match\w*|explains?|about)|{_TEXTS} search|search\w* (?:my |our |over |through |in |the ){{1,3}}{_TEXTS}|find\w* (?:related|similar) {_TEXTS}"
        r"|paraphrases?|compare (?:the )?meanings?",
    ),
    (
        "extract",
        r"named[- ]entit\w+|ner|information extraction|(?:extract|pull|pick)\w*(?: out)? (?:\w+ ){0,2}(?:fields?|entit\w+|names|dates|amounts|facts)"
        r"|key[- ]value",
    ),
    ("draw", rf"(?:generat|draw|creat|paint|mak)\w* (?:\w+ ){{0,2}}{_PICTURES}|text[- ]to[- ]image|image generation|inpaint\w*"),
    ("enhance", r"super[- ]?resolution|upscal\w+|deblur\w*|colou?ri[sz]\w+|sharpen\w*|denoise \w+"),
    (
        "segment",
        r"(?:instance |semantic |image )?segment(?:ation|ing|s)?(?! of a market)|(?:remov|blur|replac)\w* (?:the )?backgrounds?"
        r"|background (?:removal|blur)|pixel[- ]?wise|matting|cut(?:ting)? out (?:the )?(?:person|people|objects?|products?)",
    ),
    ("pose", r"poses?(?: estimation)?|skeletons?|key ?points?|body posture|gestures?(?: recognition)?|hand tracking"),
    ("depth", r"depth (?:estimation|maps?|from)|how far(?: away)?|distances? (?:to|of|from)|monocular depth"),
    (
        "identify",
        r"(?:tell|keep|distinguish)\w* (?:\w+ ){0,2}?(?:employees|people|persons|faces|visitors|customers|users|students|children|members|guests) apart"
        r"|who (?:is|are|was) (?:it|this|that|in|on|at|he|she|the|they|coming|shown)|whose face|who (?:a |the |some)?(?:person|people) (?:is|are)"
        r"|(?:(?:tell|know|say|see) )?which \w+ (?:is|are|was|were)(?= (?:it|this|that|at|coming|here|there)\b[^;.]*\bfaces?\b)"
        r"|fac(?:e|ial) (?:recognition|verification|matching|id|login|unlock\w*|identification)|same person|identit(?:y|ies)"
        r"|(?:recogni[sz]|identif|authenticat|verif)\w* (?:(?:my|our|the|known|registered|specific|individual|each|every) ){0,3}"
        r"(?:employees?|colleagues?|people|persons?|visitors?|customers?|users?|students?|faces|individuals?|family|residents?|members?|staff|criminals?|celebrit\w+)"
        r"|(?:recogni[sz]|identif)\w* (?:\w+ ){1,3}?by (?:its|their|his|her|the) (?:\w+ )?(?:\w*prints?|iris\w*|gaits?)"
        r"|(?:log|sign)\w* \w+ in by (?:their )?face|unlock\w*(?: [\w'’]+){0,5}? (?:by|with|using) (?:[\w'’]+ ){0,2}faces?",
    ),
    ("turn", r"upside[- ]?down|which way up|(?:text |line |page )?orientation|turned by 180|180 degrees|rotated (?:text|lines?)|right way up"),
    (
        "layout",
        r"(?:document |page |newspaper |paper )?layouts?(?: (?:analysis|detection|recognition|parsing))?"
        r"|(?:parts|regions|blocks) of (?:a |the )?(?:pages?|papers?|documents?)|page segmentation",
    ),
    ("structure", r"tables? structures?(?: (?:recognition|detection|analysis|extraction))?|structure of (?:a |the )?tables?"
        r"|(?:cut|split|break|divid)\w*(?=(?: \w+){1,4} into (?:rows|columns|cells)\b)"),
    (
        "sentiment",
        r"sentiments?(?: (?:analysis|classif\w+|detection|of))?|polarity|opinion mining|(?:positive|good|happy)(?:,| or| and|/)+ ?(?:negative|bad|unhappy)(?:,? or neutral)?"
        r"|how (?:\w+ ){1,3}feel(?:s)? about|(?:mood|tone) of",
    ),
    (
        "text_kind",
        r"(?:spam|phishing|topic|intent|toxic\w*|hate speech|emotion)s? (?:classif\w+|detect\w+|filter\w*) (?:of|in|for) (?:e-?mails?|texts?|messages?|comments?|posts?)"
        r"|text classif\w+|hate speech|spam|phishing|toxic (?:comments?|language)|text categori[sz]ation",
    ),
    (
        "answer",
        r"(?:answer|ask|repl)\w*(?: \w+){0,2}? (?:questions?|queries)|question[- ]answering|q&a|questions?(?= about)",
    ),
    (
        "ask",
        r"visual question\w*(?:[- ]answering)?|vqa|describ\w+|descriptions? of|captions?|captioning|alt[- ]texts?"
        r"|what (?:is|was) (?:shown|going on|happening|visible) (?:in|on)|(?:explain|say|tell) what (?:is|a|the) \w+ (?:in|on|shows?)"
        r"|vision[- ]language(?: model)?|vlm|talk about (?:a |my )?(?:pictures?|photos?|images?)",
    ),
    (
        "chat",
        r"chat(?:bots?|s|ting|ter)?|assistants?|convers\w+|dialogues?|talk\w* (?:to|with)|instruction[- ]follow\w*|help ?desk bot",
    ),
    (
        "generate",
        r"text (?:generation|completion|generator)|generat\w+ (?:\w+ ){0,2}(?:texts?|stor\w+|poems?|prose|sentences?|replies|code)"
        r"|language models?|llms?|auto-?complet\w+|(?:write|writing|compose|draft)\w* (?:\w+ ){0,2}(?:stor\w+|poems?|texts?|prose|e-?mails?|letters?|replies|articles?|descriptions?|messages?|reports?)"
        r"|(?:continu|complet|rewrit|rephras)\w+ (?:\w+ ){0,2}(?:texts?|sentences?|stor\w+|prose|paragraphs?)|storytelling",
    ),
    (
        "read",
        r"ocr|optical character recognition|text recognition|read(?:ing|s|er)?|(?:extract|get|copy|pull|lift|captur)\w* (?:the |all |any |printed ){0,3}(?:texts?|words?)"
        r"|digiti[sz]\w+|(?:recogni[sz]\w*|detect\w*|spot\w*|find\w*|locat\w+) (?:the |all |any |printed |handwritten ){0,3}(?:text|words?|letters?|characters?|digits?|handwriting|serial numbers?)"
        r"|(?:scene|handwrit\w+) text|handwriting recognition|(?:text|words?)(?= (?:from|out of|on|in) (?:\w+ )?(?:photo|picture|image|scan|sign|label|receipt|page|screenshot))",
    ),
    ("count", r"count(?:s|ing|er)?|how many|(?:the )?number of"),
    (
        "someone",
        r"(?:(?:notic|notif|know|alert|warn|wak|trigger|tell me)\w*(?: \w+){0,2}? )?(?:when|whether|if|unless|as soon as|is) (?:some|any)(?:one|body)(?: is)?",
    ),
    (
        "presence",
        r"(?:is|are) there(?: an?| any)?|(?<!what )(?<!which )is(?= (?:an?|the|my|our|any) \w+(?: \w+)? (?:present|there|in|on|at|visible|near)\b)"
        r"|presence(?: of)?|(?:whether|if|when|unless|as soon as)(?: there (?:is|are)"
        r"|(?= (?:an? |any |the |some )?\w+(?: \w+)? (?:(?:is|are|appears?|enters?) (?:present|there|in|on|at|visible|near)"
        r"|walks?|comes?|goes|drives?|arrives?|approach\w*|passes)\b))"
        r"|(?:which (?:\w+ ){1,3})?ha(?:ve|s)(?= (?:\w+ ){1,4}?(?:on|in) (?:it|them)\b)|(?:check\w*|see|mak\w+ sure) (?:that|if|whether)"
        r"|contains?|(?:notic|notif|know|alert|warn|wak|trigger|tell me)\w*(?: \w+){0,2}? (?:when|if|whether)(?: an?| there is| there are| someone| somebody)*",
    ),
    ("filter", r"block\w*|filter\w*|moderat\w+|reject\w*|censor\w*|flag(?:s|ging)?|hid(?:e|ing)|(?:screen|weed|sort|keep|throw)(?: out|(?= (?:\w+ ){1,3}?out\b))|screening"),
    (
        "find",
        r"(?:object )?detect\w*|find(?:s|ing|er)?|locat\w+|spot(?:s|ting)?|locali[sz]\w+|bounding box(?:es)?|(?:search|look|watch|check|inspect|examin)\w*(?: \w+){0,3}? for"
        r"|where (?:is|are)|recover\w*|reconstruct\w*|extract\w*|track(?:ing)?|point(?:ing)? out|boxes (?:around|of)|mark(?:ing)?",
    ),
    (
        "classify",
        r"classif\w+|categori[sz]\w+|(?:image|picture|photo) recognition|tag(?:s|ging)?|sort(?:s|ing)?|guess\w*|estimat\w+|assess\w*"
        r"|grad(?:e|ing)|what (?:kind|type|sort|class|species|breed) of|which (?:kind|type|class|species|breed)(?: of)?|distinguish\w*|differentiat\w*"
        r"|recogni[sz]\w+|recognition|identif\w+|predict\w*|tell(?:s|ing)?(?: me| us)?(?: what| which| whether| if)?|judg(?:e|ing)|say whether|diagnos\w+|what(?: is|'s| are) (?:in|on)(?= (?:an?|the|this|that|these|my|each|every)\b)",
    ),
)  # fmt: skip
"""Rule → words. Rules that are no kind are settled by :func:`settle`, with the nouns beside them."""

IMPLIED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "someone": ("person",),
        "sentiment": ("sentiment",),
        "layout": ("layout",),
        "structure": ("table row", "table column"),
    }
)
"""Rule → what it is about, though no noun says so."""

_COMPILED = tuple((rule, re.compile(rf"\b(?:{words})(?!\w)", re.IGNORECASE)) for rule, words in RULES)


@dataclass(frozen=True, slots=True)
class Asked:
    """Words that say what to do, where they stand."""

    rule: str
    start: int
    end: int


def find_tasks(text: str) -> list[Asked]:
    """What a text asks for, in order."""
    found: list[Asked] = []
    for rule, pattern in _COMPILED:
        for match in pattern.finditer(text):
            if all(match.end() <= one.start or match.start() >= one.end for one in found):
                found.append(Asked(rule, match.start(), match.end()))
    return sorted(found, key=lambda one: one.start)


def settle(rule: str, modalities: frozenset[Modality]) -> str:
    """The kind that a rule means beside nouns of these modalities: ``classify`` of tweets is another than of photos."""
    text_only = "text" in modalities and "picture" not in modalities
    sound_only = modalities == frozenset({"sound"})
    match rule:
        case "layout" | "structure":
            return "detect"
        case "sentiment" | "text_kind":
            return "classify_text"
        case "find":
            return "classify_sound" if sound_only else "detect"
        case "classify" | "filter":
            return "classify_sound" if sound_only else "classify_text" if text_only else "classify"
        case "someone":
            return "presence"
        case "answer":
            return "ask" if "picture" in modalities else "chat"
        case "ask":
            return "generate" if text_only else "ask"
    return rule
