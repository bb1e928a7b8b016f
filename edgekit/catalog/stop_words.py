"""Frequent words of languages in Latin letters, for telling which one a text is in.

Only words without meaning of their own; of most languages without those that English has too.
"""

from __future__ import annotations

STOP_WORDS: dict[str, frozenset[str]] = {
    tag: frozenset(words.split())
    for tag, words in {
        "en": (
            "the of and to in is that it was for on are with as his they be at this have from or had by not but what all "
            "were we when your can said there an which she do how their if will up other about out many then them these "
            "so some her would make like him into time has look two more go see no way could my than been who its now "
            "did get may you he me our us does where why am i a any because also should please only very such here "
            "over don isn doesn won"
        ),
        "de": (
            "und ist nicht ein eine einen einem einer das der die den dem des im zum zur wie wird wurde auch ich sich mit "
            "auf für sie wir es sind war haben kann dass diese dieser dieses bei nach über noch nur mein meine mir dir uns "
            "aber oder wenn weil warum welche welcher wer wo gibt viel sehr heute was hat man also bin bist habe mich dich "
            "ihr ihre ihren sein seine durch vor von zu an am keine kein hier bitte können möchte"
        ),
        "fr": (
            "le la les des de du un une et est pas que qui dans pour sur avec ce cette ces il elle nous vous ils je tu au "
            "aux par plus sont être avoir mais ou où comment pourquoi quelle quel quels quelles fait sans aussi très bien "
            "son sa ses leur leurs mon ma mes votre notre ne se si tout tous même ont suis êtes quand après chez donc"
        ),
        "es": (
            "el la los las de del un una unos unas y es que en con por para no se su sus lo al como más pero muy este esta "
            "estos estas eso esto está están son fue ser hay yo tú él ella nosotros me te mi tu le les cuál cuáles qué "
            "cómo cuándo dónde quién sin sobre también hasta desde donde cuando porque puede tiene hoy"
        ),
        "pt": (
            "o a os as de do da dos das um uma e é que em no na nos nas com por para não se seu sua seus suas ao à como "
            "mais mas muito este esta isso isto está estão são foi ser há eu você ele ela nós eles me te meu minha lhe "
            "qual quais onde quando quem sem sobre também até desde porque pode tem hoje pelo pela"
        ),
        "it": (
            "il lo la i gli le di del della dei delle dello un uno una e è che in con per non si su al alla ai nel nella "
            "come più ma molto questo questa questi queste sono era essere ho hai ha abbiamo io tu lui lei noi voi mi ti "
            "ci mio mia quale quali dove quando chi senza anche fino perché può oggi cosa sul sulla dal dalla da"
        ),
        "nl": (
            "de het een en van is dat niet in op te zijn met voor aan er om ook als maar bij uit naar dan nog wel geen "
            "wat hoe waar waarom wie welke deze dit die ik je jij hij zij wij jullie hun haar mijn jouw uw was waren "
            "heeft hebben had kan kunnen wordt worden door over tot veel zeer vandaag heb ben bent der den"
        ),
        "pl": (
            "i w na z do nie się jest że to jak co czy od po za przez dla są był była było być ma mam masz ale lub albo "
            "tak już tylko może kiedy gdzie dlaczego kto jaki jaka jakie który która które tego tej tym ten ta te mnie "
            "mi ci go jego jej ich nas was bardzo oraz więc przy pod dzisiaj"
        ),
        "sv": (
            "och att det som en ett är av på för med inte den till om har de jag du han hon vi ni från men var kan ska "
            "vad hur när varför vem vilken vilket vilka eller efter under också mycket mig dig sig min din sin alla "
            "denna detta dessa idag"
        ),
        "da": (
            "og at det som en et er af på for med ikke den til om har de jeg du han hun vi fra men var kan skal hvad "
            "hvordan hvornår hvorfor hvem hvor hvilken hvilket eller efter også meget mig dig sig min din sin alle "
            "denne dette disse"
        ),
        "no": (
            "og at det som en et er av på for med ikke den til om har de jeg du han hun vi fra men var kan skal hva "
            "hvordan når hvorfor hvem hvor hvilken hvilket eller etter også mye meg deg seg min din sin alle denne "
            "dette disse"
        ),
        "fi": (
            "ja on ei että se hän oli mutta kun niin myös ovat tai kuin joka mitä miten missä miksi kuka olen olet "
            "minä sinä me te he tämä nämä sen ole olla voi kanssa vain jos mikä"
        ),
        "cs": (
            "a je v na se že to s z do i o k jak pro ale jsou byl byla bylo být má mám máš jsem jsi jako nebo když kde "
            "proč kdo jaký jaká jaké který která které ten ta tak už jen může od po za při také velmi není"
        ),
        "hu": (
            "a az és hogy nem is egy van volt ez azt meg csak de mint már még ha vagy mert ki mi mit hol mikor miért "
            "hogyan milyen vagyok nagyon lehet minden ezt akkor itt"
        ),
        "ro": (
            "și în de la cu nu o un pe că este sunt din care mai pentru ce a fi au fost dar sau dacă când unde cum cine "
            "foarte acest această prin după eu tu el ea noi voi ei îmi îți mă te se"
        ),
        "tr": (
            "ve bir bu için ile de da ne çok ama gibi daha var mı mi değil olan olarak ben sen biz siz onlar nasıl neden "
            "nerede kim hangi kadar sonra her şey en ya ki"
        ),
        "id": (
            "yang dan di ke dari ini itu untuk dengan tidak adalah akan pada saya anda kami kita mereka dia apa "
            "bagaimana mengapa siapa kapan bisa dapat sudah belum atau juga karena ada oleh sebagai"
        ),
        "vi": (
            "là và của có không được cho với này một những các người trong để khi như thế nào tôi bạn gì ở đã sẽ cũng "
            "rất đến từ ai đâu sao"
        ),
    }.items()
}
"""BCP 47 tag → its words, in lower case."""

_IN_PROGRAMS = (
    "and as assert by class def do else elif end except false for from if import in is let match new not null of on or "
    "pass return select self set then this true try until use var void where while with yield to a i o y e u x k z s v w"
)
IN_PROGRAMS = frozenset(_IN_PROGRAMS.split())
"""Words of programs: they make no text a language's, but speak for a language that has them."""

_IN_NAMES = (
    "de da das dos di du la las le les los el es del della dello van der den von zu san se si me te no mi ma per con en "
    "al am an"
)
IN_NAMES = frozenset(_IN_NAMES.split())
"""Words of names as well: they count where other words of their language stand beside them."""
