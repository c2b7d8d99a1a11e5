/** The allow-list through which all HTML goes before it is shown. */

import DOMPurify from "dompurify";

const TAGS = (
  "p br hr h3 h4 h5 h6 strong em del a ul ol li blockquote pre code span sub sup " +
  "table thead tbody tr th td " +
  "math semantics mrow mi mn mo ms mtext mspace mfrac msqrt mroot msub msup msubsup munder mover " +
  "munderover mmultiscripts mprescripts mtable mtr mlabeledtr mtd mstyle mpadded mphantom " +
  "menclose merror"
).split(" ");

const ATTRIBUTES = (
  "href start align class display mathvariant stretchy fence separator symmetric largeop " +
  "movablelimits accent accentunder lspace rspace minsize maxsize linethickness scriptlevel " +
  "displaystyle columnalign columnspacing columnlines rowspacing rowlines rowalign width height " +
  "depth voffset notation side"
).split(" ");

/** Classes that our own renderer gives; any other is the text's and is dropped. */
const CLASS = /^(?:hljs-[a-z_-]+|function_|class_|inherited__)$/;

const purifier = DOMPurify(window);

purifier.addHook("uponSanitizeAttribute", (_node, data) => {
  if (data.attrName !== "class") return;
  data.attrValue = data.attrValue
    .split(/\s+/)
    .filter((name) => CLASS.test(name))
    .join(" ");
  data.keepAttr = data.attrValue !== "";
});

purifier.addHook("afterSanitizeAttributes", (node) => {
  if (node.nodeName !== "A") return;
  if (!/^(?:https?:|mailto:)/i.test(node.getAttribute("href") ?? "")) node.removeAttribute("href");
  node.setAttribute("rel", "noopener noreferrer nofollow");
  node.setAttribute("target", "_blank");
});

export function sanitize(html: string): DocumentFragment {
  return purifier.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    FORBID_CONTENTS: ["script", "style", "annotation", "annotation-xml", "template", "noscript"],
    RETURN_DOM_FRAGMENT: true,
  });
}
