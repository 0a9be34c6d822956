/* base.js - the data of the page, elements, numbers as text, colours, light and dark. */
'use strict';

const data = JSON.parse(document.getElementById('data').textContent);

/* Files of figures hold one method or several; the page compares them all. */
data.metrics = Object.assign({}, ...data.evaluations.map((file) => file.metrics));
data.differences = data.evaluations.map((file) => file.differences).filter((d) => Array.isArray(d?.pairs) && d.pairs.length);
data.evaluations = data.evaluations.flatMap((file) => file.methods);

/* Elements ---------------------------------------------------------------------------------- */

/** Set attributes; functions are listeners, true is an empty attribute, null and false are none. */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : value);
  }
  return element;
}

/** An HTML element. Children are elements, or texts, which are never read as HTML. */
function h(tag, attributes, ...children) {
  const element = setAttributes(document.createElement(tag), attributes);
  element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

/** The same of SVG. */
function svg(tag, attributes, ...children) {
  const element = setAttributes(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes);
  element.append(...children);
  return element;
}

/** Radio buttons in a row. choices: [[value, label]] */
function segmented(name, label, choices, value, change) {
  return h('fieldset', { class: 'segmented', 'data-name': name },
    h('legend', {}, label),
    choices.map(([key, text]) => h('label', {},
      h('input', { type: 'radio', name, value: key, checked: key === value, change: () => change(key) }),
      h('span', {}, text))));
}

/** What is chosen in such a row, from outside. */
function choose(name, value) {
  for (const input of document.querySelectorAll(`input[name="${name}"]`))
    input.checked = input.value === String(value);
}

/* Text -------------------------------------------------------------------------------------- */

const isNumber = (x) => typeof x === 'number' && Number.isFinite(x);

function decimal(x, digits = 2) {
  return isNumber(x) ? x.toFixed(digits).replace(/^-/, '\u2212') : '–';
}

/** 1234567 -> "1.23 M" */
function short(x) {
  if (!isNumber(x)) return '–';
  const size = Math.abs(x);
  for (const [unit, name] of [[1e9, ' G'], [1e6, ' M'], [1e3, ' k']])
    if (size >= unit * 10 || (size >= unit && unit > 1e3)) return trim(x / unit) + name;
  return size !== 0 && size < 0.001 ? x.toExponential(1).replace('e-', 'e\u2212') : trim(x);
}

function trim(x) {
  return String(Number(x.toPrecision(3))).replace(/^-/, '\u2212');
}

/** 83.25 -> "1:23"; with tenths "1:23.2" */
function clock(seconds, tenths = false) {
  const t = Math.max(0, tenths ? Math.floor(seconds * 10) / 10 : Math.floor(seconds));
  const rest = (t % 60).toFixed(tenths ? 1 : 0).padStart(tenths ? 4 : 2, '0');
  return `${Math.floor(t / 60)}:${rest}`;
}

function plural(n, word) {
  return `${n} ${word}${n === 1 ? '' : 's'}`;
}

/* Statistics -------------------------------------------------------------------------------- */

/** Quantile q of sorted numbers, between neighbours linearly (type 7 of Hyndman and Fan 1996). */
function quantile(sorted, q) {
  if (sorted.length === 0) return NaN;
  const at = (sorted.length - 1) * q, low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

function finite(values) {
  return values.filter(isNumber);
}

function median(values) {
  return quantile(finite(values).sort((a, b) => a - b), 0.5);
}

/* Colours ----------------------------------------------------------------------------------- */

const stemColours = { vocals: 'vocals', drums: 'drums', bass: 'bass', guitar: 'guitar', piano: 'piano',
  other: 'other', mix: 'mix', accompaniment: 'other', instrumental: 'other', no_vocals: 'other' };
const spareColours = ['guitar', 'piano', 'bass', 'drums', 'vocals', 'other'];

/** The CSS variable of a stem's colour; one that is not known gets one by its name. */
function stemColour(stem) {
  const known = stemColours[stem.toLowerCase()];
  let sum = 0;
  for (const c of stem) sum = (sum * 31 + c.codePointAt(0)) % 65521;
  return `var(--${known || spareColours[sum % spareColours.length]})`;
}

/** The i-th of several things that are compared. */
function seriesColour(i) {
  return `var(--${['other', 'vocals', 'guitar', 'drums', 'bass', 'piano'][i % 6]})`;
}

/** A colour as canvases take it. */
function resolveColour(colour) {
  const probe = document.getElementById('footer');
  probe.style.color = colour;
  const found = getComputedStyle(probe).color;
  probe.style.color = '';
  return found;
}

/* Light and dark ---------------------------------------------------------------------------- */

const themeListeners = [];
const prefersDark = matchMedia('(prefers-color-scheme: dark)');

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : prefersDark.matches;
}

function themeChanged() {
  const button = document.getElementById('theme');
  button.textContent = isDark() ? '☀' : '☾';
  button.setAttribute('aria-label', isDark() ? 'Light colours' : 'Dark colours');
  for (const listener of themeListeners) listener();
}

function toggleTheme() {
  document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
  themeChanged();
}
