//! For the engine: which functions of ours do its edited sources call?
//!
//! `engine_edits.txt` puts the calls into the engine; `messages.c`, `callee.c` and `frames.c` have the functions.

// Inlined, they would enlarge the frames of the interpreter, and so the stack that every call of a program takes.
#define RARE __attribute__((noinline, cold))

// The formats: `%s` text, `%d` number, `%a` property, `%v` value as V8 shows it, `%f` name of a function.
RARE static JSValue throw_message(JSContext *ctx, int kind, const char *format, ...);
// For an operation that fails silently outside of strict code; -1 after an exception, else false.
RARE static int refuse(JSContext *ctx, int flags, const char *format, ...);
RARE static int refuse_read_only(JSContext *ctx, int flags, JSValueConst holder, JSAtom name);
RARE static JSValue throw_unreadable(JSContext *ctx, JSValueConst holder, JSAtom name);
RARE static JSValue throw_not_callable(JSContext *ctx, JSValueConst value);
RARE static JSValue throw_not_constructor(JSContext *ctx, JSValueConst value);
RARE static JSValue throw_not_iterable(JSContext *ctx, JSValueConst value, bool is_async);
RARE static JSValue throw_unpatterned(JSContext *ctx, JSValueConst value);
RARE static JSValue throw_incompatible(JSContext *ctx, const char *holder, JSValueConst receiver);
RARE static JSValue throw_no_object(JSContext *ctx, JSValueConst value);
RARE static JSValue throw_wrong_this(JSContext *ctx, const char *class_name);
RARE static int refuse_redeclaration(void *parser, JSAtom name);
RARE static JSValue throw_without_new(JSContext *ctx, JSValueConst constructor);
RARE static JSValue throw_bad_flags(JSContext *ctx, JSValueConst flags);
static JSValueConst running_native(JSContext *ctx);
static bool runs_program(JSContext *ctx);
RARE static void throw_bad_index(JSContext *ctx, JSValueConst value);
RARE static JSValue throw_bad_offset(JSContext *ctx, JSValueConst constructor, JSValueConst offset, int size);
RARE static int refuse_token(void *parser);
RARE static int refuse_label(void *parser, JSAtom name);

static void keep_during_job(JSContext *ctx, JSValueConst target);
RARE static void throw_incompatible_class(JSContext *ctx, JSClassID class_id, JSValueConst receiver);

// Those of the engine whose edited bodies are small enough to be inlined.
typedef struct JSFunctionBytecode JSFunctionBytecode;
RARE static int JS_ThrowTypeErrorReadOnly(JSContext *ctx, int flags, JSAtom atom);
RARE static JSValue JS_ThrowTypeErrorNotAFunction(JSContext *ctx);
RARE static JSValue JS_ThrowTypeErrorNotAnObject(JSContext *ctx);
RARE static JSValue JS_ThrowReferenceErrorNotDefined(JSContext *ctx, JSAtom name);
RARE static JSValue JS_ThrowReferenceErrorUninitialized(JSContext *ctx, JSAtom name);
RARE static JSValue JS_ThrowReferenceErrorUninitialized2(JSContext *ctx, JSFunctionBytecode *b, int idx, bool is_ref);
RARE static JSValue JS_ThrowSyntaxErrorVarRedeclaration(JSContext *ctx, JSAtom prop);

static JSValue async_frame;
static JSValue react_in_frame(JSContext *ctx, int argc, JSValueConst *argv);
static JSValue resolve_in_frame(JSContext *ctx, int argc, JSValueConst *argv);
static JSValue call_in_frame(JSContext *ctx, int argc, JSValueConst *argv);
