//! `util.inspect` and `util.format`: how does the console show a value?
//!
//! Node's own module does it. What it asks ICU for, the columns that a text takes, is here.
(native, internal) => {
  // East Asian characters that are wide or full-width, and what is shown as an emoji.
  const wide = /[\u1100-\u115f\u2329-\u232a\u2630-\u2637\u268a-\u268f\u2e80-\u2e99\u2e9b-\u2ef3\u2f00-\u2fd5\u2ff0-\u302f\u3031-\u303c\u303e\u3041-\u3096\u3099-\u30ff\u3105-\u312f\u3131-\u318e\u3190-\u31e5\u31ef-\u321e\u3220-\u3247\u3250-\u3296\u3298\u329a-\ua48c\ua490-\ua4c6\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe52\ufe54-\ufe66\ufe68-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{16fe4}\u{16ff0}-\u{16ff6}\u{17000}-\u{18cd5}\u{18cff}-\u{18d1e}\u{18d80}-\u{18df2}\u{1aff0}-\u{1aff3}\u{1aff5}-\u{1affb}\u{1affd}-\u{1affe}\u{1b000}-\u{1b122}\u{1b132}\u{1b150}-\u{1b152}\u{1b155}\u{1b164}-\u{1b167}\u{1b170}-\u{1b2fb}\u{1d300}-\u{1d356}\u{1d360}-\u{1d376}\u{1f200}\u{1f210}-\u{1f219}\u{1f21b}-\u{1f22e}\u{1f230}-\u{1f231}\u{1f23b}\u{1f240}-\u{1f248}\u{1f260}-\u{1f265}\u{20000}-\u{2fffd}\u{30000}-\u{3fffd}\p{Emoji_Presentation}]/u;
  const joining = /(?!\u00ad)[\p{Cc}\p{Cf}\p{Me}\p{Mn}]/u;
  internal.columns = (text) => {
    let columns = 0;
    for (const character of text) {
      if (character < '\u0300') columns += character >= '\x7f' && joining.test(character) ? 0 : 1;
      else columns += wide.test(character) ? 2 : joining.test(character) ? 0 : 1;
    }
    return columns;
  };

  const { inspect, format, formatWithOptions, getStringWidth: width } = internal.node('internal/util/inspect');
  const describeOwn = Object.getOwnPropertyDescriptor, hasInstance = Function.prototype[Symbol.hasInstance];
  const isInstance = (value, constructor) => {
    try { return Reflect.apply(hasInstance, constructor, [value]); } catch { return false; }
  };
  // The name of the class, or null for an object without prototype.
  const constructorName = (value) => {
    for (let object = value, depth = 0; object !== null && depth < 20; object = Object.getPrototypeOf(object), depth++) {
      const constructor = describeOwn(object, 'constructor')?.value;
      if (typeof constructor === 'function' && constructor.name !== '' && isInstance(value, constructor)) return constructor.name;
    }
    return null;
  };
  const showNumber = (number) => (Object.is(number, -0) ? '-0' : `${number}`);
  Object.assign(internal, { inspect, format, formatWithOptions, width, constructorName, showNumber });
}
