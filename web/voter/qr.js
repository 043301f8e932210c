// QR codes, drawn in the browser.

import { qrcode } from "./qrcode/qrcode.js";

const SVG = "http://www.w3.org/2000/svg";

// draw gives a QR code of text, and of digits after it, as an SVG; null where
// they do not fit into one. Digits take less room than anything else.
export function draw(label, text, digits = "") {
  const code = qrcode(0, digits ? "L" : "M");
  code.addData(text, "Byte");
  if (digits) code.addData(digits, "Numeric");
  try {
    code.make();
  } catch {
    return null;
  }
  const n = code.getModuleCount();
  let path = "";
  for (let y = 0; y < n; y++) {
    for (let x = 0; x < n; x++) if (code.isDark(y, x)) path += "M" + x + " " + y + "h1v1h-1z";
  }
  const make = (name, attributes) => {
    const e = document.createElementNS(SVG, name);
    for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
    return e;
  };
  const svg = make("svg", { viewBox: "-4 -4 " + (n + 8) + " " + (n + 8), role: "img", "aria-label": label, "shape-rendering": "crispEdges" });
  svg.append(make("rect", { x: -4, y: -4, width: n + 8, height: n + 8, fill: "#fff" }), make("path", { d: path, fill: "#000" }));
  return svg;
}
