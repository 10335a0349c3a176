//! For the engine: which functions of ours do its edited sources call?
//!
//! `engine_edits.txt` puts the calls into the engine; `messages.c`, `callee.c` and `frames.c` have the functions.

// The formats: `%s` text, `%d` number, `%a` property, `%v` value as V8 shows it, `%f` name of a function.
static JSValue throw_message(JSContext *ctx, int kind, const char *format, ...);
// For an operation that fails silently outside of strict code; -1 after an exception, else false.
static int refuse(JSContext *ctx, int flags, const char *format, ...);
static int refuse_read_only(JSContext *ctx, int flags, JSValueConst holder, JSAtom name);
static JSValue throw_unreadable(JSContext *ctx, JSValueConst holder, JSAtom name);
static JSValue throw_not_callable(JSContext *ctx, JSValueConst value);
static JSValue throw_not_constructor(JSContext *ctx, JSValueConst value);
static JSValue throw_not_iterable(JSContext *ctx, JSValueConst value, bool is_async);
static JSValue throw_unpatterned(JSContext *ctx, JSValueConst value);
static JSValue throw_incompatible(JSContext *ctx, const char *holder, JSValueConst receiver);
static JSValue throw_no_object(JSContext *ctx, JSValueConst value);
static JSValue throw_wrong_this(JSContext *ctx, const char *class_name);
static int refuse_redeclaration(void *parser, JSAtom name);
static JSValue throw_without_new(JSContext *ctx, JSValueConst constructor);
static JSValue throw_bad_flags(JSContext *ctx, JSValueConst flags);
static JSValueConst running_native(JSContext *ctx);
static bool runs_program(JSContext *ctx);
static void throw_bad_index(JSContext *ctx, JSValueConst value);
static JSValue throw_bad_offset(JSContext *ctx, JSValueConst constructor, JSValueConst offset, int size);
static int refuse_token(void *parser);
static int refuse_label(void *parser, JSAtom name);

static JSValue async_frame;
static JSValue react_in_frame(JSContext *ctx, int argc, JSValueConst *argv);
static JSValue resolve_in_frame(JSContext *ctx, int argc, JSValueConst *argv);
static JSValue call_in_frame(JSContext *ctx, int argc, JSValueConst *argv);
