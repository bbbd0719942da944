// Expected values from Python 3.11 (html.unescape, str.split, str.lower) and ftfy 6.3.1 (fix_text).
import { describe, expect, test } from "vitest";
import { cleanText } from "./clean-text.js";
import { fixText } from "./repair/fix-text.js";
import { unescapeHtml } from "./unescape-html.js";

const json = (value: string): string => JSON.stringify(value);

describe("unescapeHtml is Python's html.unescape", () => {
  test.each(
    [
      ["&lt;b&gt;", "<b>"],
      ["&amp;amp;", "&amp;"],
      ["&AMP", "&"],
      ["&copy2", "©2"],
      ["&notit;", "¬it;"],
      ["&notin;", "∉"],
      ["&EACUTE;", "&EACUTE;"],
      ["&#65;&#65", "AA"],
      ["&#x41;&#X41;", "AA"],
      ["&#0;", "\ufffd"],
      ["&#x80;", "€"],
      ["&#x81;", "\u0081"],
      ["&#x9F;", "Ÿ"],
      ["&#xD800;", "\ufffd"],
      ["&#1114112;", "\ufffd"],
      ["&#1;", ""],
      ["&#xb;", ""],
      ["&#x7f;", ""],
      ["&#xfdd0;", ""],
      ["&#x1ffff;", ""],
      ["&#13;", "\r"],
      ["&;", "&;"],
      ["&#;", "&#;"],
      ["&#x;", "&#x;"],
      ["a & b", "a & b"],
      ["&CounterClockwiseContourIntegral;", "∳"],
      ["&nosuchentitynameisthislongforsureyes;", "&nosuchentitynameisthislongforsureyes;"],
      ["&acE;", "\u223e\u0333"],
      ["AT&T", "AT&T"],
    ].map(([text = "", expected = ""]) => [json(text), text, expected] as const),
  )("%s", (_, text, expected) => {
    expect(unescapeHtml(text)).toBe(expected);
  });
});

describe("fixText is ftfy's fix_text", () => {
  test.each(
    [
      ["\u201cq\u201d \u2018s\u2019", "\"q\" 's'"],
      ["\ufb01re \ufb00 \u0149 \u01c5", "fire ff 'n Dž"],
      ["Ｆｕｌｌ\u3000ｗ ﾊﾝｶｸ", "Full w ハンカク"],
      ["e\u0301", "é"],
      ["a\u2028b\u2029c\r\nd\re\u0085f", "a\nb\nc\nd\ne\u2026f"],
      ["\u0000n\u0001c\u007f\ufeff\ufffc", "nc"],
      ["\u001b[36;44mblue\u001b[0m", "blue"],
      ["\u0080\u0093", '€"'],
      ["&lt;p&gt; &amp;amp; x", "<p> & x"],
      ["<i>&lt;</i>\n&gt;", "<i>&lt;</i>\n&gt;"],
      ["&gt;\n<i>", ">\n<i>"],
      ["P&EACUTE;REZ &nTILDE; &notit; &semi; &#59; &#x27;", "PÉREZ &nTILDE; &notit; ; &#59; '"],
      ["plain & simple", "plain & simple"],
      ["\ud83d \udc36", "\ufffd \ufffd"],
      ["\ud83d\udc36", "\ud83d\udc36"],
    ].map(([text = "", expected = ""]) => [json(text), text, expected] as const),
  )("%s", (_, text, expected) => {
    expect(fixText(text)).toBe(expected);
  });
});

describe("cleanText", () => {
  test("collapses what Python calls white space, no more and no less", () => {
    const spaces = "\t\n\v\f\r\x20\u00a0\u1680\u2003\u202f\u205f\u3000";
    expect(cleanText(`${spaces}a${spaces}b${spaces}`)).toBe("a b");
    expect(cleanText("a\u200bb \u180e")).toBe("a\u200bb \u180e");
  });

  test("lower-cases as Unicode says, final sigma and dotted I included", () => {
    expect(cleanText("ΟΔΥΣΣΕΥΣ Σ")).toBe("οδυσσευς σ");
    expect(cleanText("İstanbul ǅ STRASSE")).toBe("i\u0307stanbul dž strasse");
  });

  test("decodes references twice more", () => {
    expect(cleanText("<b>&amp;lt;")).toBe("<b><");
  });
});
