/* player.js - the lanes of a song as one sound: decoded when first played, started at the same
 * sample, each with a gain of its own (Web Audio). Sound of one song is held at a time. */

class Player {
  /** changed(): playing, loading or stopped; failed(text) */
  constructor(changed, failed) {
    this.changed = changed;
    this.failed = failed;
    this.volume = 1;
    this.loop = false;
    this.reset(0, [], 0, 0);
  }

  /** lanes: of the data; from, length: seconds of the song that can be heard. */
  reset(song, lanes, from, length) {
    this.stop();
    Object.assign(this, { song, lanes, from, length, position: from, buffers: null, loading: false });
    this.gains = lanes.map(() => 0);
    this.generation = (this.generation || 0) + 1;
  }

  get playing() {
    return Boolean(this.sources);
  }

  get end() {
    return this.from + this.length;
  }

  /** Seconds of the song. */
  now() {
    if (!this.sources) return this.position;
    const t = this.position + Math.max(0, this.context.currentTime - this.started);
    return this.loop && this.length > 0 ? this.from + (t - this.from) % this.length : Math.min(t, this.end);
  }

  static bytes(text) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
    const binary = atob(text), bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
  }

  /** False: another song was chosen meanwhile. */
  async load() {
    const generation = this.generation, buffers = [];
    this.context ||= new AudioContext();
    this.loading = true;
    this.changed();
    for (const [i, lane] of this.lanes.entries()) {
      const text = lane.type ? document.getElementById(`sound-${this.song}-${i}`).textContent : null;
      buffers.push(text ? await this.context.decodeAudioData(Player.bytes(text).buffer) : null);
      if (generation !== this.generation) return false;
    }
    this.buffers = buffers;
    this.loading = false;
    return true;
  }

  async play() {
    if (this.playing || this.loading || this.length <= 0) return;
    try {
      if (!this.buffers && !(await this.load())) return;
      await this.context.resume();
    } catch (error) {
      this.loading = false;
      this.failed(`This browser cannot play the sound: ${error.message}`);
      this.changed();
      return;
    }
    if (this.position >= this.end - 0.01) this.position = this.from;
    this.start();
    this.changed();
  }

  start() {
    const context = this.context;
    this.master = new GainNode(context, { gain: this.volume });
    this.master.connect(context.destination);
    this.started = context.currentTime + 0.05;
    this.nodes = this.gains.map((gain) => new GainNode(context, { gain }));
    this.sources = this.buffers.map((buffer, i) => this.startLane(buffer, this.nodes[i]));
  }

  startLane(buffer, node) {
    if (!buffer) return null;
    const source = new AudioBufferSourceNode(this.context, { buffer, loop: this.loop, loopEnd: this.length });
    source.connect(node).connect(this.master);
    source.start(this.started, Math.max(0, this.position - this.from));
    return source;
  }

  stop() {
    if (!this.sources) return;
    this.position = this.now();
    for (const source of this.sources) source?.stop();
    this.master.disconnect();
    this.sources = null;
  }

  pause() {
    this.stop();
    this.changed();
  }

  /** To be called again and again while playing: at the end it stops. */
  tick() {
    if (!this.playing || this.loop || this.now() < this.end) return;
    this.stop();
    this.position = this.from;
    this.changed();
  }

  seek(seconds) {
    const was = this.playing;
    this.stop();
    this.position = Math.min(this.end, Math.max(this.from, seconds));
    if (was) this.start();
    this.changed();
  }

  setLoop(loop) {
    this.loop = loop;
    if (this.playing) this.seek(this.now());
  }

  setVolume(volume) {
    this.volume = volume;
    this.master?.gain.setTargetAtTime(volume, this.context.currentTime, 0.01);
  }

  /** Without clicks. */
  setGains(gains) {
    this.gains = gains;
    if (this.playing)
      gains.forEach((gain, i) => this.nodes[i].gain.setTargetAtTime(gain, this.context.currentTime, 0.01));
  }
}
