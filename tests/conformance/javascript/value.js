// the value of the last expression
// value = "{ a: [ 1, 'two', null ] }"
// json = "{\"a\":[1,\"two\",null]}"
console.log("side effect");
({ a: [1, "two", null] });
