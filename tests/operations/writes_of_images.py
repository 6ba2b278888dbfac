"""Valid requests: images, what is drawn on them, readings of hand radiographs."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from lesions import staging
from lesions.clearing import clear
from lesions.measuring import draw, size_words
from lesions.models import ImagingFile, ImagingMeasure, LesionObservation, MeasureKind, SecondReading
from lesions.second_reading import finish, take
from patients.models import Patient
from tests.factories import a_reading as a_reading_of
from tests.house_rules.cast import Cast
from tests.lesions.imaging.imaging_files import dicom_file
from tests.lesions.test_hand_reading import ALL, _zero
from tests.operations.write import Write, own


def picture(cast: Cast) -> dict[str, Any]:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, "PNG")
    return {"files": SimpleUploadedFile("hand.png", out.getvalue(), "image/png")}


def unmeasured(cast: Cast) -> None:
    for measure in cast.rows["file"].measures.all():
        measure.delete()


def shown(cast: Cast) -> None:
    QuerySet(ImagingFile).filter(pk=cast.rows["file"].pk).update(has_preview=True)


def cleared(cast: Cast) -> None:
    shown(cast)
    clear(file=cast.rows["file"], said=True, by=own(cast), now=timezone.now())


def a_reading(cast: Cast) -> dict[str, Any]:
    return {"version": "0"} | {key: value for hand, site in ALL for key, value in _zero(hand, site).items()}


def images_agreed(cast: Cast) -> None:
    QuerySet(Patient).filter(pk=cast.rows["patient"].pk).update(images_consent=True)


def waits_for_an_answer(cast: Cast) -> None:
    """A radiograph whose header names somebody else."""
    images_agreed(cast)
    file = SimpleUploadedFile("hand.dcm", dicom_file(), "application/dicom")
    address = reverse("lesions:imaging_add", args=[cast.rows["patient"].public_id])
    page = cast.client.post(address, {"files": file}, follow=True)
    assert staged_file(cast)["staged"], page.content.decode()[-6000:]


def staged_file(cast: Cast) -> dict[str, Any]:
    found = staging.waiting(patient_id=cast.rows["patient"].pk, user_id=own(cast).pk, root=settings.FILES_DIR)
    return {"staged": [one.token for one in found], "reason": "the clinic's scanner had the wrong name"}


def drawn(cast: Cast, kind: MeasureKind, points: list[list[float]], **more: Any) -> ImagingMeasure:
    known = {"lesion": None, "scale": None, "known_mm": None} | more
    file = cast.rows["file"]
    return draw(file=file, kind=kind, frame=0, points=points, by=own(cast), now=timezone.now(), **known)


def a_scale(cast: Cast) -> ImagingMeasure:
    return drawn(cast, MeasureKind.SCALE, [[0, 0], [0, 20]], known_mm=Decimal("23.25"))


def with_a_scale(cast: Cast) -> None:
    a_scale(cast)


def a_length(cast: Cast) -> dict[str, str]:
    """The width of a lesion, by the scale of the picture."""
    scale = cast.rows["file"].measures.get(measured=MeasureKind.SCALE)
    return {
        "kind": "LENGTH", "frame": "0", "points": "[[5,5],[15,5]]", "lesion": cast.rows["lesion"].public_id,
        "scale": scale.public_id,
    }  # fmt: skip


def measured(cast: Cast) -> ImagingMeasure:
    return drawn(cast, MeasureKind.LENGTH, [[5, 5], [15, 5]], lesion=cast.rows["lesion"], scale=a_scale(cast))


def to_redraw(cast: Cast) -> str:
    return reverse("lesions:imaging_redraw", args=[measured(cast).public_id])


def redrawn(cast: Cast) -> dict[str, Any]:
    measure = cast.rows["file"].measures.latest("pk")
    return {"points": "[[5,5],[16,5]]", "version": measure.version, "reason": "the end slipped"}


def to_use(cast: Cast) -> str:
    return reverse("lesions:imaging_use", args=[measured(cast).public_id])


def the_visit(cast: Cast) -> dict[str, str]:
    seen = LesionObservation.objects.get(pk=cast.rows["observation"].pk)
    return {"visit": cast.rows["visit"].public_id, "instead_of": size_words(seen)}


def taken(cast: Cast) -> SecondReading:
    return take(asked=cast.rows["second_reading"], by=own(cast), now=timezone.now())


def with_a_reader(cast: Cast) -> None:
    taken(cast)


def read_differently(cast: Cast) -> None:
    """Both readings are there, and differ at one site."""
    asked = taken(cast)
    second = a_reading_of(asked.study, own(cast), {"R-D1.DIST": (80, 3)})
    finish(asked=asked, reading=second, by=own(cast), now=timezone.now())


DECIDED = {"R-D1.DIST": "second", "how": "CONSENSUS", "why": "A calcification, seen again together."}


IMAGES: dict[str, Write] = {
    "lesions:imaging_add": Write("clin", picture, before=images_agreed),
    "lesions:imaging_confirm": Write("clin", staged_file, before=waits_for_an_answer),
    "lesions:imaging_study": Write("clin", lambda cast: {"body_region": "ELBOW", "reason": "read again"}, form=True),
    "lesions:imaging_remove": Write("clin", lambda cast: {"reason": "another person's"}, before=unmeasured),
    "lesions:imaging_clear": Write("clin", lambda cast: {"said": "on"}, before=shown),
    "lesions:imaging_unclear": Write("clin", lambda cast: {"reason": "a ring with a name"}, before=cleared),
    "lesions:hand_score": Write("clin", a_reading),
    "lesions:imaging_measures": Write("clin", a_length, before=with_a_scale),
    "lesions:imaging_redraw": Write("clin", redrawn, before=to_redraw),
    "lesions:imaging_use": Write("clin", the_visit, before=to_use),
    "lesions:reading_ask": Write("clin", lambda cast: {"reader": own(cast).pk}),
    "lesions:reading_take": Write("clin", lambda cast: {}),
    "lesions:reading_give_up": Write("clin", lambda cast: {"why": "ill until June"}, before=with_a_reader),
    "lesions:reading_pair": Write("clin", lambda cast: DECIDED, before=read_differently),
}
