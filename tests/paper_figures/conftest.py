"""The data of a paper, once for each test module that imports it as `paper`."""

import pytest


@pytest.fixture(scope="module")
def data(request, tmp_path_factory):
    paper = request.module.paper
    (path,) = paper.compute(tmp_path_factory.mktemp("figures"), quick=True)
    return paper.load(path)
