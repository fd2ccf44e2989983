"""What the extra voices say: per language sentences, short interjections, and backchannels."""

from collections.abc import Mapping
from typing import NamedTuple


class Texts(NamedTuple):
    """One language's lines, separated by slashes."""

    sentences: str
    shorts: str
    backchannels: str


TEXTS: Mapping[str, Texts] = {
    "en": Texts(
        "Wait, I need to change the date. / Can you repeat the price, please? / "
        "No, that is not what I asked for. / How long does the delivery take? / "
        "I would like to talk to somebody else. / What about the other appointment?",
        "Stop. / Wait. / Tomorrow. / What? / Not now. / Hold on.",
        "Yeah. / Okay. / Right. / Uh-huh. / I see. / Sure.",
    ),
    "de": Texts(
        "Warten Sie, ich muss das Datum ändern. / Können Sie den Preis wiederholen? / "
        "Nein, danach habe ich nicht gefragt. / Wie lange dauert die Lieferung? / "
        "Ich möchte mit jemand anderem sprechen. / Was ist mit dem anderen Termin?",
        "Stopp. / Warte. / Morgen. / Was? / Jetzt nicht. / Moment.",
        "Ja. / Okay. / Genau. / Aha. / Verstehe. / Klar.",
    ),
    "nl": Texts(
        "Wacht, ik moet de datum veranderen. / Kunt u de prijs herhalen? / "
        "Nee, dat heb ik niet gevraagd. / Hoe lang duurt de levering? / "
        "Ik wil graag iemand anders spreken. / En de andere afspraak dan?",
        "Stop. / Wacht. / Morgen. / Wat? / Nu niet. / Momentje.",
        "Ja. / Oké. / Precies. / Aha. / Snap ik. / Tuurlijk.",
    ),
    "sv": Texts(
        "Vänta, jag måste ändra datumet. / Kan du upprepa priset? / "
        "Nej, det var inte det jag frågade om. / Hur lång tid tar leveransen? / "
        "Jag vill prata med någon annan. / Hur är det med den andra tiden?",
        "Stopp. / Vänta. / Imorgon. / Vad? / Inte nu. / Vänta lite.",
        "Ja. / Okej. / Precis. / Jaha. / Jag förstår. / Visst.",
    ),
    "pl": Texts(
        "Proszę poczekać, muszę zmienić datę. / Czy może pan powtórzyć cenę? / "
        "Nie, nie o to pytałem. / Jak długo trwa dostawa? / "
        "Chciałbym porozmawiać z kimś innym. / A co z drugim terminem?",
        "Stop. / Czekaj. / Jutro. / Co? / Nie teraz. / Chwileczkę.",
        "Tak. / Okej. / Dokładnie. / Aha. / Rozumiem. / Jasne.",
    ),
    "ru": Texts(
        "Подождите, мне нужно изменить дату. / Вы можете повторить цену? / "
        "Нет, я спрашивал не об этом. / Сколько времени занимает доставка? / "
        "Я хочу поговорить с кем-нибудь другим. / А что с другой встречей?",
        "Стоп. / Подожди. / Завтра. / Что? / Не сейчас. / Минутку.",
        "Да. / Хорошо. / Точно. / Ага. / Понятно. / Конечно.",
    ),
    "tr": Texts(
        "Bekleyin, tarihi değiştirmem gerekiyor. / Fiyatı tekrar eder misiniz? / "
        "Hayır, ben bunu sormadım. / Teslimat ne kadar sürüyor? / "
        "Başka biriyle konuşmak istiyorum. / Peki ya öbür randevu?",
        "Dur. / Bekle. / Yarın. / Ne? / Şimdi değil. / Bir dakika.",
        "Evet. / Tamam. / Aynen. / Hı hı. / Anladım. / Tabii.",
    ),
    "fi": Texts(
        "Odottakaa, minun täytyy muuttaa päivää. / Voitteko toistaa hinnan? / "
        "Ei, en minä sitä kysynyt. / Kuinka kauan toimitus kestää? / "
        "Haluaisin puhua jonkun toisen kanssa. / Entä se toinen aika?",
        "Seis. / Odota. / Huomenna. / Mitä? / Ei nyt. / Hetkinen.",
        "Joo. / Okei. / Aivan. / Niin. / Ymmärrän. / Totta kai.",
    ),
    "es": Texts(
        "Espere, tengo que cambiar la fecha. / ¿Puede repetir el precio? / "
        "No, no es lo que he preguntado. / ¿Cuánto tarda la entrega? / "
        "Quisiera hablar con otra persona. / ¿Y la otra cita?",
        "Basta. / Espera. / Mañana. / ¿Qué? / Ahora no. / Un momento.",
        "Sí. / Vale. / Exacto. / Ajá. / Ya veo. / Claro.",
    ),
    "fr": Texts(
        "Attendez, je dois changer la date. / Pouvez-vous répéter le prix ? / "
        "Non, ce n'est pas ce que j'ai demandé. / Combien de temps prend la livraison ? / "
        "Je voudrais parler à quelqu'un d'autre. / Et l'autre rendez-vous ?",
        "Stop. / Attends. / Demain. / Quoi ? / Pas maintenant. / Un instant.",
        "Oui. / D'accord. / Exactement. / Ah bon. / Je vois. / Bien sûr.",
    ),
}
