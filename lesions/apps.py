from django.apps import AppConfig


class LesionsConfig(AppConfig):
    name = "lesions"

    def ready(self) -> None:
        # patients never imports lesions: what follows a saved record up here is handed down once, at start.
        from calcinosis_registry.clinics.scope import WITHHELD
        from calcinosis_registry.codebook.catalogue import CALCULATED
        from lesions.blinding import is_withheld
        from lesions.hand_reading import settle_saved
        from lesions.outcome import entries
        from lesions.rules import visit_errors
        from lesions.second_reading import to_read
        from lesions.services import find_beside, follow
        from lesions.unlocking import to_agree
        from patients.models.visit import RULES
        from patients.services import AFTER_SAVE, FINDERS
        from patients.worklist import MORE_WORK

        AFTER_SAVE += [follow, settle_saved]
        WITHHELD.append(is_withheld)
        MORE_WORK += [to_read, to_agree]
        FINDERS.append(find_beside)
        RULES.append(visit_errors)
        CALCULATED.append(entries)
