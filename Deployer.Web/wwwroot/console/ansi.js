// Terminal colours: text with SGR sequences (ECMA-48 8.3.117, 'ESC [ 1 ; 31 m') becomes spans with text nodes.
// Sample: '\x1b[1;31merror\x1b[0m: no such file'. Colours are moved towards black or white until they reach 4.5:1 on
// the console's ground, once for each theme; the style sheet picks the one of the theme.

const Sgr = /\x1b\[([\d;:]*)m/g;
const Link = /\bhttps?:\/\/[^\s<>"'`\x1b]*[^\s<>"'`\x1b.,;:!?)\]}]/g;
const Grounds = { light: [252, 252, 253], dark: [12, 14, 19] };
const Readable = 4.5;

// The sixteen colours as a plain terminal shows them.
const Sixteen = [
  [40, 44, 52], [194, 54, 33], [37, 150, 60], [173, 122, 0], [45, 95, 205], [160, 60, 170], [20, 140, 150], [190, 195, 203],
  [110, 118, 129], [240, 90, 80], [70, 190, 95], [220, 165, 40], [90, 145, 245], [200, 105, 215], [60, 185, 195], [240, 242, 246],
];

const shades = new Map();

/** Fills an element with a line: colours, and links that open beside the page. marks are [from, to) in plain text. */
export function paint(element, text, marks) {
  const hasColour = text.includes('\x1b');
  const plain = hasColour ? text.replace(Sgr, '') : text;
  const links = plain.includes('://') ? [...plain.matchAll(Link)] : [];
  if (!hasColour && links.length === 0 && !marks?.length) {
    element.textContent = text;
    return;
  }
  const pieces = hasColour ? styled(text) : [{ text, style: null }];
  const cuts = [
    ...links.map(link => ({ from: link.index, to: link.index + link[0].length, href: link[0] })),
    ...(marks ?? []).map(([from, to]) => ({ from, to, mark: true })),
  ];
  let at = 0;
  for (const piece of pieces) {
    append(element, piece, at, cuts);
    at += piece.text.length;
  }
}

/** Where { text, regex, matchCase } is found in a line, as [from, to) of its plain text. */
export function marksIn(text, query) {
  if (!query) {
    return [];
  }
  const plain = plainText(text);
  if (query.regex) {
    // Expressions are the server's (.NET); one that this browser reads differently is found but not highlighted.
    try {
      const found = plain.matchAll(new RegExp(query.text, query.matchCase ? 'g' : 'gi'));
      return [...found].filter(match => match[0]).map(match => [match.index, match.index + match[0].length]);
    } catch {
      return [];
    }
  }
  const marks = [];
  const fold = value => query.matchCase ? value : value.toLowerCase();
  const [where, what] = [fold(plain), fold(query.text)];
  for (let at = where.indexOf(what); at >= 0; at = where.indexOf(what, at + what.length)) {
    marks.push([at, at + what.length]);
  }
  return marks;
}

/** The text without its colours, as it is searched and copied. */
export function plainText(text) {
  return text.includes('\x1b') ? text.replace(Sgr, '') : text;
}

// Cuts a piece where links and marks begin and end; a mark within a link is a mark within a link.
function append(element, piece, at, cuts) {
  const edges = new Set([0, piece.text.length]);
  for (const cut of cuts) {
    for (const edge of [cut.from - at, cut.to - at]) {
      if (edge > 0 && edge < piece.text.length) {
        edges.add(edge);
      }
    }
  }
  const sorted = [...edges].sort((a, b) => a - b);
  for (let index = 0; index + 1 < sorted.length; index++) {
    const from = sorted[index];
    let node = document.createTextNode(piece.text.slice(from, sorted[index + 1]));
    const within = cuts.filter(cut => cut.from <= at + from && at + from < cut.to);
    if (within.some(cut => cut.mark)) {
      node = wrap('mark', node);
    }
    const link = within.find(cut => cut.href);
    if (link) {
      node = wrap('a', node);
      node.href = link.href;
      node.target = '_blank';
      node.rel = 'noopener noreferrer';
    }
    if (piece.style) {
      node = wrap('span', node);
      dress(node, piece.style);
    }
    element.append(node);
  }
}

function wrap(name, child) {
  const element = document.createElement(name);
  element.append(child);
  return element;
}

function styled(text) {
  const pieces = [];
  let style = null;
  let from = 0;
  for (const match of text.matchAll(Sgr)) {
    if (match.index > from) {
      pieces.push({ text: text.slice(from, match.index), style });
    }
    style = apply(style, match[1]);
    from = match.index + match[0].length;
  }
  if (from < text.length) {
    pieces.push({ text: text.slice(from), style });
  }
  return pieces;
}

function apply(style, parameters) {
  // 38:2::r:g:b and 38;2;r;g;b mean the same; an empty parameter is 0.
  const codes = parameters.replace(/([34]8):2:\d*:(\d+):(\d+):(\d+)/g, '$1;2;$2;$3;$4').split(/[;:]/).map(Number);
  let next = { ...style };
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index];
    if (code === 0) {
      next = {};
    } else if (code === 1) {
      next.bold = true;
    } else if (code === 2) {
      next.dim = true;
    } else if (code === 3) {
      next.italic = true;
    } else if (code === 4) {
      next.underline = true;
    } else if (code === 7) {
      next.inverse = true;
    } else if (code === 9) {
      next.strike = true;
    } else if (code === 22) {
      next.bold = next.dim = false;
    } else if (code === 23) {
      next.italic = false;
    } else if (code === 24) {
      next.underline = false;
    } else if (code === 27) {
      next.inverse = false;
    } else if (code === 29) {
      next.strike = false;
    } else if (code >= 30 && code <= 37) {
      next.fore = Sixteen[code - 30];
    } else if (code >= 90 && code <= 97) {
      next.fore = Sixteen[code - 82];
    } else if (code >= 40 && code <= 47) {
      next.back = Sixteen[code - 40];
    } else if (code >= 100 && code <= 107) {
      next.back = Sixteen[code - 92];
    } else if (code === 39) {
      next.fore = null;
    } else if (code === 49) {
      next.back = null;
    } else if (code === 38 || code === 48) {
      const colour = codes[index + 1] === 5 ? indexed(codes[index + 2])
        : codes[index + 1] === 2 ? codes.slice(index + 2, index + 5) : null;
      index += codes[index + 1] === 5 ? 2 : 4;
      if (colour?.length === 3 && colour.every(part => part >= 0 && part <= 255)) {
        next[code === 38 ? 'fore' : 'back'] = colour;
      }
    }
  }
  return Object.values(next).some(Boolean) ? next : null;
}

// The xterm palette: 16 colours, a 6×6×6 cube, 24 greys.
function indexed(number) {
  if (!(number >= 0 && number <= 255)) {
    return null;
  }
  if (number < 16) {
    return Sixteen[number];
  }
  if (number >= 232) {
    return new Array(3).fill(8 + (number - 232) * 10);
  }
  const step = value => value === 0 ? 0 : 55 + value * 40;
  const cube = number - 16;
  return [step(Math.floor(cube / 36)), step(Math.floor(cube / 6) % 6), step(cube % 6)];
}

function dress(element, style) {
  for (const name of ['bold', 'dim', 'italic', 'underline', 'strike']) {
    if (style[name]) {
      element.classList.add(name);
    }
  }
  for (const theme of ['light', 'dark']) {
    let { fore, back } = style;
    if (style.inverse) {
      [fore, back] = [back ?? Grounds[theme], fore ?? (theme === 'dark' ? [225, 228, 235] : [30, 33, 40])];
    }
    if (back) {
      element.classList.add('back');
      element.style.setProperty(`--back-${theme}`, css(back));
      fore ??= luminance(back) > 0.3 ? [16, 18, 24] : [245, 246, 249];
    }
    if (fore) {
      element.classList.add('fore');
      element.style.setProperty(`--fore-${theme}`, readable(fore, back ?? Grounds[theme]));
    }
  }
}

// The colour itself where it can be read, else the nearest mixture with black or white that can.
function readable(colour, ground) {
  const key = `${colour}/${ground}`;
  let shade = shades.get(key);
  if (!shade) {
    const target = luminance(ground) > 0.18 ? 0 : 255;
    let mixed = colour;
    for (let part = 0; part <= 1 && contrast(mixed, ground) < Readable; part += 0.05) {
      mixed = colour.map(value => value + (target - value) * part);
    }
    shades.set(key, shade = css(mixed));
    if (shades.size > 2000) {
      shades.delete(shades.keys().next().value);
    }
  }
  return shade;
}

function css(colour) {
  return `rgb(${colour.map(Math.round).join(' ')})`;
}

// WCAG 2.2 relative luminance and contrast ratio.
function luminance(colour) {
  const [red, green, blue] = colour.map(value => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}
