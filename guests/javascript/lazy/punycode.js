//! Punycode: which letters does a host name in ASCII stand for? (RFC 3492)
() => {
  const decode = (text) => {
    const out = [], dash = text.lastIndexOf('-');
    for (let i = 0; i < Math.max(dash, 0); i++) out.push(text.charCodeAt(i));
    let n = 128, at = 0, bias = 72;
    for (let i = dash > 0 ? dash + 1 : 0; i < text.length;) {
      const before = at;
      for (let weight = 1, k = 36; ; k += 36) {
        const code = text.charCodeAt(i++), digit = code < 58 ? code - 22 : (code | 32) - 97;
        if (!(digit >= 0 && digit < 36)) throw new RangeError('Invalid input');
        at += digit * weight;
        const limit = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
        if (digit < limit) break;
        weight *= 36 - limit;
      }
      const size = out.length + 1;
      let delta = before === 0 ? Math.floor((at - before) / 700) : (at - before) >> 1;
      delta += Math.floor(delta / size);
      let k = 0;
      for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
      bias = Math.floor(k + (36 * delta) / (delta + 38));
      n += Math.floor(at / size);
      at %= size;
      out.splice(at++, 0, n);
    }
    return String.fromCodePoint(...out);
  };
  return { toUnicode: (host) => host.split('.').map((label) => { try { return label.startsWith('xn--') ? decode(label.slice(4)) : label; } catch { return label; } }).join('.') };
}
