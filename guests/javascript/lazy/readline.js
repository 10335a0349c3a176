//! `node:readline`: which lines does standard input hold?
//!
//! It is read only while the program waits for a line: reading standard input blocks, and the one who writes it may wait for a prompt.
(native, internal) => {
  const { codedError, EventEmitter } = internal;
  const { StringDecoder } = internal.builtin('string_decoder');

  // Taking the first of many is cheap here.
  class Queue {
    #items = []; #next = 0;
    get length() { return this.#items.length - this.#next; }
    add(item) { this.#items.push(item); }
    take() {
      const item = this.#items[this.#next++];
      if (this.#next === this.#items.length) { this.#items = []; this.#next = 0; }
      return item;
    }
  }
  const questionError = (signal) => internal.abortError(signal);
  class Interface extends EventEmitter {
    #decoder; #rest = ''; #lines = new Queue(); #isReading = false; #isPumping = false; #isEnded = false; #isPaused = false; #questions = []; #hadQuestion = false; #iterators = 0; #prompt; #sawReturn = false;
    constructor(input, output, completer, terminal) {
      super();
      let options = { output, completer, terminal };
      if (input && typeof input === 'object' && !(typeof input.on === 'function')) options = input;
      else options.input = input;
      input = options.input;
      if (typeof input?.on !== 'function') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "input" argument must be an instance of ReadableStream. Received ${internal.received(input)}`);
      this.#prompt = `${options.prompt ?? '> '}`;
      this.#decoder = new StringDecoder('utf8');
      Object.assign(this, { terminal: false, line: '', cursor: 0, closed: false });
      for (const [name, value] of [['input', input], ['output', options.output]]) Object.defineProperty(this, name, { value, writable: true, enumerable: false });
      this.onData = (chunk) => this.#take(typeof chunk === 'string' ? chunk : this.#decoder.write(chunk));
      this.onEnd = () => { this.#finish(); };
      this.onError = (error) => { if (this.listenerCount('error') > 0) this.emit('error', error); };
      for (const name of ['onData', 'onEnd', 'onError']) Object.defineProperty(this, name, { enumerable: false });
      if (options.signal) {
        const abort = () => this.close();
        if (options.signal.aborted) internal.nextTick(abort, []);
        else options.signal.addEventListener('abort', abort, { once: true });
      }
      super.on('newListener', (name) => { if (name === 'line' || name === 'close') setImmediate(() => this.#pump()); });
    }
    #wants() { return !this.#isPaused && (this.#questions.length > 0 || this.#iterators > 0 || this.listenerCount('line') > 0 || (this.listenerCount('close') > 0 && !this.#hadQuestion)); }
    #listen() {
      if (this.#isReading || this.#isEnded) return;
      this.#isReading = true;
      this.input.on('data', this.onData);
      this.input.on('end', this.onEnd);
      this.input.on('error', this.onError);
      this.input.resume?.();
    }
    #ignore() {
      if (!this.#isReading) return;
      this.#isReading = false;
      this.input.removeListener('data', this.onData);
      this.input.removeListener('end', this.onEnd);
      this.input.removeListener('error', this.onError);
      this.input.pause?.();
    }
    #take(text) {
      if (this.#sawReturn && text.startsWith('\n')) text = text.slice(1);
      this.#sawReturn = text === '' ? this.#sawReturn : text.endsWith('\r');
      // A pattern would be tried at every character.
      for (const end of ['\r\n', '\r', '\u2028', '\u2029']) if (text.includes(end)) text = text.replaceAll(end, '\n');
      const parts = (this.#rest + text).split('\n');
      this.#rest = parts.pop();
      for (const part of parts) this.#lines.add(part);
      this.#pump();
    }
    #finish() {
      this.#isEnded = true;
      this.#isReading = false;
      const rest = this.#rest + this.#decoder.end();
      this.#rest = '';
      if (rest !== '') this.#lines.add(rest);
      this.#pump();
      // Lines that come between two questions are kept for the next one.
      if (this.#lines.length === 0 || !this.#hadQuestion) this.close();
    }
    // Gives out lines as long as the program takes them.
    #pump() {
      if (this.#isPumping || this.closed) return;
      this.#isPumping = true;
      try {
        while (this.#lines.length > 0 && this.#wants() && !this.closed) {
          const line = this.#lines.take(), question = this.#questions.shift();
          if (question) question(line);
          else this.emit('line', line);
        }
      } finally { this.#isPumping = false; }
      if (this.closed) return;
      if (this.#lines.length > 0) {
        // An error or a pause came between.
        if (this.#wants()) setImmediate(() => this.#pump());
        return;
      }
      if (this.#isEnded) this.close();
      else if (this.#wants()) this.#listen();
      else this.#ignore();
    }
    #ask(text, options, callback) {
      if (this.closed) throw codedError(Error, 'ERR_USE_AFTER_CLOSE', 'readline was closed');
      this.#hadQuestion = true;
      this.#isPaused = false;
      this.output?.write(text);
      const { signal } = options ?? {};
      const answer = (line) => { signal?.removeEventListener('abort', abort); callback(line); };
      const abort = () => { const at = this.#questions.indexOf(answer); if (at >= 0) this.#questions.splice(at, 1); };
      if (signal?.aborted) return;
      signal?.addEventListener('abort', abort, { once: true });
      this.#questions.push(answer);
      setImmediate(() => this.#pump());
    }
    question(text, options, callback) {
      if (typeof options === 'function') [options, callback] = [undefined, options];
      if (typeof callback === 'function') this.#ask(text, options, callback);
    }
    // For `readline/promises`.
    _ask(text, options) {
      return new Promise((resolve, reject) => {
        const { signal } = options ?? {};
        if (signal?.aborted) { reject(questionError(signal)); return; }
        signal?.addEventListener('abort', () => reject(questionError(signal)), { once: true });
        this.#ask(text, options, resolve);
      });
    }
    setPrompt(text) { this.#prompt = `${text}`; }
    getPrompt() { return this.#prompt; }
    prompt() { this.#isPaused = false; this.output?.write(this.#prompt); setImmediate(() => this.#pump()); }
    write(text) {
      if (this.closed) throw codedError(Error, 'ERR_USE_AFTER_CLOSE', 'readline was closed');
      if (text !== undefined && text !== null) this.#take(typeof text === 'string' ? text : this.#decoder.write(text));
    }
    pause() {
      if (!this.#isPaused) { this.#isPaused = true; this.#ignore(); this.emit('pause'); }
      return this;
    }
    resume() {
      if (this.#isPaused) { this.#isPaused = false; this.emit('resume'); setImmediate(() => this.#pump()); }
      return this;
    }
    close() {
      if (this.closed) return;
      this.closed = true;
      this.#ignore();
      this.emit('close');
    }
    getCursorPos() { return { rows: 0, cols: this.cursor }; }
    [Symbol.dispose]() { this.close(); }
    [Symbol.asyncIterator]() {
      const arrived = new Queue(), waiting = [];
      let failure;
      this.#iterators++;
      const take = (line) => { const next = waiting.shift(); if (next) next.resolve({ value: line, done: false }); else arrived.add(line); };
      const stop = () => { this.removeListener('line', take); for (const next of waiting.splice(0)) next.resolve({ value: undefined, done: true }); };
      const fail = (error) => { const next = waiting.shift(); if (next) next.reject(error); else failure = { error }; };
      super.on('line', take);
      super.once('close', stop);
      // The stream's own error ends the loop as well.
      this.input.once('error', fail);
      setImmediate(() => this.#pump());
      return {
        next: () => {
          if (arrived.length > 0) return Promise.resolve({ value: arrived.take(), done: false });
          if (failure) { const { error } = failure; failure = undefined; return Promise.reject(error); }
          return this.closed ? Promise.resolve({ value: undefined, done: true }) : new Promise((resolve, reject) => { waiting.push({ resolve, reject }); });
        },
        return: () => { this.#iterators--; stop(); this.close(); return Promise.resolve({ value: undefined, done: true }); },
        [Symbol.asyncIterator]() { return this; },
      };
    }
  }
  Interface.prototype.addListener = Interface.prototype.on;
  // Old programs call it without `new`.
  const PlainInterface = new Proxy(Interface, { apply: (target, self, values) => new Interface(...values) });
  class PromiseInterface extends Interface {
    question(text, options) { try { return this._ask(text, options); } catch (error) { return Promise.reject(error); } }
  }

  // Every other stream is read as Node does it.
  const node = internal.node('readline'), nodePromises = internal.node('readline/promises');
  const isStandard = (input) => (typeof input?.on === 'function' ? input : input?.input) === globalThis.process.stdin;
  const promises = { ...nodePromises, createInterface: (...values) => (isStandard(values[0]) ? new PromiseInterface(...values) : nodePromises.createInterface(...values)) };
  const readline = { ...node, promises, createInterface: (...values) => (isStandard(values[0]) ? new PlainInterface(...values) : node.createInterface(...values)) };
  // `instanceof` holds for both.
  for (const [Class, name] of [[node.Interface, 'Interface'], [nodePromises.Interface, 'Interface']]) {
    const plain = Function.prototype[Symbol.hasInstance];
    Object.defineProperty(Class, Symbol.hasInstance, { value(value) { return plain.call(this, value) || value instanceof Interface; }, configurable: true });
  }
  return { promises, readline };
}
