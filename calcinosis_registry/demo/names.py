"""Invented people: names from small lists of many languages, numbers and addresses nobody has."""

from __future__ import annotations

from typing import Any

from calcinosis_registry.demo.told import Dice

# (names of women, names of men, family names) of one language each
LANGUAGES: tuple[tuple[str, str, str], ...] = (
    ("Inês Graça Conceição Fátima", "João Estêvão Simão", "Magalhães Conceição Lourenço Brandão Antunes"),
    ("Begoña Ángela Lucía Ximena", "Íñigo Ramón Andrés", "Núñez Ibáñez Zúñiga Peñalver Garrido"),
    ("Françoise Hélène Maëlle Zoé", "Rémy Gaël François", "Lefèvre Gauthier D'Aubigné Noël Brière"),
    ("Käthe Ursel Jördis Mareike", "Jürgen Götz Sönke", "Müßig Schönherr Weißgerber Köhler Grünwald"),
    ("Małgorzata Łucja Bożena Żaneta", "Paweł Święcisław Łukasz", "Wójcik Dąbrowska Źrebiec Mączka Krzyżan"),
    ("Gülşen Çiğdem Işıl Nurgül", "Göksel İlker Uğur", "Yıldırım Öztürk Çağlayan Şimşek Doğan"),
    ("Beatrice Noemi Fiorenza Letizia", "Corrado Tiziano Niccolò", "Bellucci Dall'Acqua Fabbri Sartori Lo-Presti"),
    ("Åsa Ingrid Sólveig Märta", "Bjørn Søren Håkon", "Ångström Sjöberg Østergård Þorsteinsdóttir Nygård"),
    ("Lan Ngọc Hằng Thảo", "Đức Hưng Quốc", "Nguyễn Trần Đặng Phạm Võ"),
    ("Ṣadé Ìyábọ̀ Títílayọ̀ Yétúndé", "Olúwaṣeun Kọ́láwọlé Bánkọ́lé", "Adéyẹmí Ọláńrewájú Fálétí Akíntọ́lá"),
    ("Κατερίνα Ελένη Σοφία", "Γιώργος Νίκος", "Παπαδοπούλου Οικονόμου Αθανασίου"),
    ("Оксана Ганна Лариса", "Тарас Богдан", "Шевчук Коваленко Мельник"),
    ("Zdeňka Květa Růžena Šárka", "Jiří Ondřej Bořek", "Dvořáková Černý Šťastná Hřebíčková"),
    ("Aisha Layla Yasmin Samira", "Omar Khalid Idris", "al-Farsi Ben-Youssef Haddad Mansouri"),
    ("Lakshmi Meenakshi Ananya Rukmini", "Arjun Raghav Suresh", "Subramaniam Chatterjee Iyer Banerjee"),
    ("Mei-Ling Xiǎofāng Yùlán Shū-fēn", "Jiànguó Wěi Zhìháo", "Ōuyáng Zhèng Lǚ Huáng"),
    ("Siobhán Niamh Gwenllian Morag", "Pádraig Rhys Ewan", "O'Sullivan MacAllister Llewellyn Fitzgerald"),
    ("Amy Ruth Winifred Dorothea", "Basil Edmund Percival", "Featherstone Underhill Thistlewood Quill"),
)


def identity(dice: Dice, *, sex: str, index: int) -> dict[str, Any]:
    """Names, hospital and national number, contact of the person ``index``; all invented."""
    women, men, families = dice.one_of(LANGUAGES)
    given = dice.one_of((women if sex == "F" else men).split())
    if dice.chance(0.12):
        given = f"{given} {dice.one_of((women if sex == 'F' else men).split())}"
    family = dice.one_of(families.split())
    if dice.chance(0.08):
        family = f"{family} {dice.one_of(dice.one_of(LANGUAGES)[2].split())}"
    return {
        "given_name": given,
        "family_name": family,
        "hospital_number": f"DEMO-{dice.whole(100_000, 999_999)}",
        "national_number": dice.maybe(0.8, f"XX-{index:09d}", ""),
        "contact": dice.maybe(0.7, f"patient{index + 1}@example.org", ""),
    }
