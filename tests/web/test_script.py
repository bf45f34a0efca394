"""What a browser asks for before it can show a page: few things, as each is a function of its own on AWS."""

import re
from pathlib import Path

import pytest
from web.serving import Server

from energy_analytics.web.bundle import UnbundledError, bundled

AT_A_TIME = 10
"""Functions that a new account on AWS runs at once."""


def test_a_page_needs_less_than_a_new_account_can_answer_at_once(empty: Server) -> None:
    shell = empty.ask("/").body.decode()
    needed = re.findall(r'(?:href|src)="(/(?:static/[^"]*|config\.json))"', shell)
    assert 4 <= len(needed) < AT_A_TIME
    for path in needed:
        assert empty.ask(path).status == 200, path
    script = empty.ask(next(path for path in needed if path.endswith("/all.js")))
    assert script.headers["content-type"].startswith("text/javascript")
    assert not re.search(rb"^\s*(import|export)\b|\bimport\(", script.body, re.MULTILINE), "it asks for no more"


def written(folder: Path, **modules: str) -> str:
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text)
    return bundled(folder)


def test_each_module_comes_once_and_after_what_it_imports(tmp_path: Path) -> None:
    script = written(
        tmp_path,
        main='import { a as b } from "./one.js";\nimport * as two from "./two.js";\nb(two.c, import("./three.js"));\n',
        one="export const a = () => 1;\n",
        two='export { a } from "./one.js";\nconst c = 2;\nexport { c };\n',
        three='import { a } from "./one.js";\nexport async function render() { return a(); }\n',
    )
    begun = [line.split()[1] for line in script.splitlines() if line.startswith("const $")]
    assert begun == ["$one", "$two", "$three", "$main"]
    assert "const {a: b} = $one;" in script.replace("{ ", "{").replace(" }", "}")
    assert "const two = $two;" in script and "b(two.c, Promise.resolve($three));" in script
    assert "return { a: $one.a, c };" in script and "return { render };" in script


@pytest.mark.parametrize(
    ("one", "told"),
    [
        ('import { b } from "./main.js";\nexport const a = 1;\n', "in a circle: main.js > one.js > main.js"),
        ("export default 1;\n", "one.js: export default 1;"),
        ("export let a = 1;\n", "one.js: export let a = 1;"),
    ],
)
def test_what_the_bundle_does_not_know_is_refused(tmp_path: Path, one: str, told: str) -> None:
    with pytest.raises(UnbundledError, match=re.escape(told)):
        written(tmp_path, main='import { a } from "./one.js";\nexport const b = a;\n', one=one)
