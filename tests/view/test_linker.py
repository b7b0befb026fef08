import pytest

from pellucid.view.linker import LinkError, link


def test_shared_modules_run_once_and_before_their_importers():
    modules = {
        "main.js": 'import { a } from "./a.js";\nimport { b } from "./b.js";\nshow(a, b);\n',
        "a.js": 'import { b } from "./b.js";\nexport const a = b + 1;\n',
        "b.js": "export const b = 1;\n",
    }
    script = link(modules, entry="main.js")
    assert script.count("// b.js") == 1
    assert script.index("// b.js") < script.index("// a.js") < script.index("// main.js")


def test_imports_over_several_lines():
    modules = {
        "main.js": 'import {\n  a,\n  b as c,\n} from "./a.js";\n',
        "a.js": "export function a() {}\nexport async function b() {}\n",
    }
    assert "const { a, b: c } = module0;" in link(modules, entry="main.js")


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ({"main.js": 'import { a } from "./gone.js";\n'}, "no module 'gone.js'"),
        ({"main.js": 'import { a } from "./main.js";\n'}, "circle"),
        ({"main.js": "export default 1;\n"}, "cannot link"),
        ({"main.js": 'import * as a from "./a.js";\n'}, "cannot link"),
    ],
)
def test_what_cannot_be_linked_is_named(modules, message):
    with pytest.raises(LinkError, match=message):
        link(modules, entry="main.js")
