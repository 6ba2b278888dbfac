from django.apps import AppConfig


class LesionsConfig(AppConfig):
    name = "lesions"

    def ready(self) -> None:
        # patients never imports lesions: what follows a saved record up here is handed down once, at start.
        from calcinosis_registry.codebook.catalogue import CALCULATED
        from lesions.outcome import entries
        from lesions.rules import visit_errors
        from lesions.services import find_beside, follow
        from patients.models.visit import RULES
        from patients.services import AFTER_SAVE, FINDERS

        AFTER_SAVE.append(follow)
        FINDERS.append(find_beside)
        RULES.append(visit_errors)
        CALCULATED.append(entries)
