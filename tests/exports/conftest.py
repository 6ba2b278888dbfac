"""An approved project of the north with a cohort of everyone, and exports kept in a folder of the test."""

from __future__ import annotations

import pytest

from tests.cohorts.register import cohort_of, project_of


@pytest.fixture(autouse=True)
def exports_dir(settings, tmp_path):
    settings.EXPORTS_DIR = tmp_path / "exports"


@pytest.fixture
def project(researcher, coordinator, north):
    return project_of(researcher, coordinator, north)


@pytest.fixture
def cohort(researcher, project):
    return cohort_of(researcher, project)


@pytest.fixture
def with_images(project):
    """The project may have the images themselves."""
    project.images = True
    project.save()


@pytest.fixture
def store(settings, tmp_path):
    settings.FILES_DIR = tmp_path / "files"
    return settings.FILES_DIR
