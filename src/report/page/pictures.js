/* pictures.js - waveforms and spectrograms from their digits (src/report/report_picture.h). */

const digitValues = new Int8Array(128);
[...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].forEach((digit, i) => {
  digitValues[digit.charCodeAt(0)] = i;
});

/** The texts of a lane: {wave, spectrogram}. */
function pictureText(song, lane) {
  const [wave, spectrogram] = document.getElementById(`picture-${song}-${lane}`).textContent.split(' ');
  return { wave, spectrogram };
}

/* Magma (matplotlib, CC0) at nine places, and for light pages one from paper to ink. */
const darkStops = ['#000004', '#1c1044', '#4f127b', '#812581', '#b5367a', '#e55064', '#fb8761', '#fec287', '#fcfdbf'];
const lightStops = ['#ffffff', '#e9ecfb', '#c7cdf4', '#a79eea', '#9468d6', '#8a32ac', '#701077', '#430a43', '#140414'];

/** RGB of the 64 levels. */
function colourMap(dark) {
  const stops = (dark ? darkStops : lightStops).map((c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)));
  return Array.from({ length: 64 }, (_, level) => {
    const at = level / 63 * (stops.length - 1), low = Math.min(Math.floor(at), stops.length - 2);
    return stops[low].map((x, i) => Math.round(x + (at - low) * (stops[low + 1][i] - x)));
  });
}

/** Give a canvas the pixels of its place on the screen. */
function fitCanvas(canvas) {
  const scale = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(canvas.clientWidth * scale));
  const height = Math.max(1, Math.round(canvas.clientHeight * scale));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  return canvas.getContext('2d');
}

function waveSample(text, at) {
  return (digitValues[text.charCodeAt(at)] * 64 + digitValues[text.charCodeAt(at + 1)]) / 4095 * 2 - 1;
}

/** Peaks pale, the root mean square strong. `seconds`: what the width of the canvas stands for. */
function drawWave(canvas, text, picture, seconds, gain, colour) {
  const context = fitCanvas(canvas), { width, height } = canvas;
  const middle = height / 2, scale = gain * (middle - 1), last = text.length / 6 - 1;
  context.clearRect(0, 0, width, height);
  context.fillStyle = colour;
  for (let x = 0; x < width; x++) {
    const from = Math.floor(x / width * seconds / picture.seconds);
    const to = Math.max(from, Math.ceil((x + 1) / width * seconds / picture.seconds) - 1);
    if (from > last) break;
    let least = 1, most = -1, square = 0;
    for (let i = from; i <= Math.min(to, last); i++) {
      least = Math.min(least, waveSample(text, 6 * i));
      most = Math.max(most, waveSample(text, 6 * i + 2));
      square = Math.max(square, waveSample(text, 6 * i + 4));
    }
    bar(context, x, middle, scale * Math.max(most, 0), scale * Math.max(-least, 0), 0.42);
    bar(context, x, middle, scale * square, scale * square, 1);
  }
}

function bar(context, x, middle, up, down, alpha) {
  context.globalAlpha = alpha;
  context.fillRect(x, middle - Math.min(middle, Math.max(up, 0.5)), 1, Math.min(middle, Math.max(up, 0.5)) + Math.min(middle, Math.max(down, 0.5)));
  context.globalAlpha = 1;
}

/** Pixels of the picture itself, to be scaled. */
function spectrogramImage(text, picture, map) {
  const image = document.createElement('canvas');
  image.width = Math.max(1, picture.n);
  image.height = picture.bands;
  const context = image.getContext('2d'), pixels = context.createImageData(image.width, image.height);
  for (let i = 0; i < text.length; i++) {
    const [red, green, blue] = map[digitValues[text.charCodeAt(i)]];
    pixels.data.set([red, green, blue, 255], 4 * i);
  }
  context.putImageData(pixels, 0, 0);
  return image;
}

function drawSpectrogram(canvas, text, picture, seconds, map) {
  const context = fitCanvas(canvas), { width, height } = canvas;
  context.fillStyle = `rgb(${map[0].join()})`;
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(spectrogramImage(text, picture, map), 0, 0, width * picture.n * picture.seconds / seconds, height);
}
