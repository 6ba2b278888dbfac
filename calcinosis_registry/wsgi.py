import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "calcinosis_registry.settings")
application = get_wsgi_application()

from calcinosis_registry.demo import guard  # noqa: E402  needs the apps loaded

guard.refuse()
