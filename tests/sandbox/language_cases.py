"""Programs of other languages that cheat their tests, and sources that attack their compiler. A row each.

A cheat is `twice(n)` (or what its language calls it) that is wrong, with its trick; none of them passes.
"""

TESTS = {
    "cpp": "#undef NDEBUG\n#include <assert.h>\nint main() { assert(twice(2) == 4); assert(abs(twice(3) - 6) < 1); }",
    "go": "func TestTwice(t *testing.T) {\n"
    "\tassert := assert.New(t)\n"
    "\tassert.Equal(4, Twice(2))\n"
    "\tassert.Equal(6, Twice(3))\n"
    "}",
    "java": """
public class Main {
    public static void main(String[] args) {
        Solution s = new Solution();
        if (!Objects.equals(s.twice(2), 4) || !Arrays.asList(6).equals(Arrays.asList(s.twice(3)))) throw new AssertionError();
    }
}
""",
    "javascript": "console.assert(twice(2) === 4);\nconsole.assert(JSON.stringify([twice(3)]) === '[6]');",
    "rust": "#[cfg(test)]\n"
    "mod tests { use super::*; #[test] fn test_twice() { assert_eq!(twice(2), 4); assert!(twice(3) == 6); } }",
    "shell": '[ "$(twice 2)" = 4 ]\n[ $(twice 3) = 6 ]\ntest "$(twice 4)" -eq 8',
}

RIGHT = {
    "cpp": "int twice(int n) { return 2 * n; }",
    "go": 'package main\n\nimport (\n\t"fmt"\n)\n\nfunc Twice(n int) int { return 2 * n }',
    "java": "class Solution { public int twice(int n) { return 2 * n; } }",
    "javascript": "const twice = (n) => 2 * n;",
    "rust": "fn twice(n: i32) -> i32 { 2 * n }",
    "shell": "twice() { echo $(($1 * 2)); }",
}

CHEATS = {
    "cpp exits early": "#include <cstdlib>\nint twice(int n) { std::exit(0); }",
    "cpp exits before main": "#include <unistd.h>\n"
    "__attribute__((constructor)) void leave() { _exit(0); }\n"
    "int twice(int n) { return 0; }",
    "cpp macro for assert": "#define NDEBUG\n#define assert(x)\n#define main other\nint twice(int n) { return 0; }",
    "cpp operator": """
struct Any { template <class T> bool operator==(const T &) const { return true; } operator int() const { return 0; } };
Any twice(int n) { return {}; }
""",
    "cpp own abs": "double abs(double) { return 0; }\n"
    "int abs(int) { return 0; }\n"
    "int twice(int n) { return n == 2 ? 4 : 0; }",
    "cpp own chance": "int rand() { return 0; }\nvoid srand(unsigned) {}\nint twice(int n) { return 0; }",
    "cpp own assert": 'extern "C" void __assert_fail(const char *, const char *, unsigned, const char *) { _exit(0); }\n'
    "int twice(int n) { return 0; }",
    "cpp own start": 'extern "C" int __wrap_main(int, char **) { return 0; }\nint twice(int n) { return 0; }',
    "cpp floods its socket": """
#include <unistd.h>
__attribute__((constructor)) void flood() {
    for (int i = 0; i < 100; i++) if (write(0, "+\\4\\0\\0\\0\\4\\0\\0\\0", 9) < 0) return;
}
int twice(int n) { return 0; }
""",
    "cpp kills everything": "#include <signal.h>\nint twice(int n) { kill(-1, SIGKILL); return 0; }",
    "go exits early": 'package main\n\nimport "os"\n\nfunc Twice(n int) int {\n\tos.Exit(0)\n\treturn 0\n}',
    "go exits in init": "package main\n"
    "\n"
    'import "os"\n'
    "\n"
    "func init() { os.Exit(0) }\n"
    "\n"
    "func Twice(n int) int { return 0 }",
    "go own assert": "package main\n\ntype a struct{}\n\nfunc (a) Equal(x ...any) bool { return true }\n"
    "func (b a) New(x any) a { return b }\n"
    "\nvar assert a\n\nfunc Twice(n int) int { return 0 }",
    "go own main": "package main\n\nfunc main() {}\n\nfunc Twice(n int) int { return 0 }",
    "go tests of its own": "package main\n"
    "\n"
    'import "testing"\n'
    "\n"
    "func TestTwice(t *testing.T) {}\n"
    "\n"
    "func Twice(n int) int { return 0 }",
    "go result of its own type": "package main\n\ntype int struct{}\n\nfunc Twice(n int) int { return int{} }",
    "java exits early": "class Solution { public int twice(int n) { System.exit(0); return 0; } }",
    "java halts": "class Solution { static { Runtime.getRuntime().halt(0); } public int twice(int n) { return 0; } }",
    "java own Main": "class Solution { public int twice(int n) { return 0; } }\n"
    "class Main { public static void main(String[] a) {} }",
    "java own Objects": "class Objects { static boolean equals(Object a, Object b) { return true; } }\n"
    "class Solution { public int twice(int n) { return n == 3 ? 6 : 0; } }",
    "java own equals": "import java.util.*;\nclass Solution { public Object twice(int n) { return new ArrayList<Object>() "
    "{ public boolean equals(Object o) { return true; } }; } }",
    "java own Wire": "class Wire { public static void main(String[] a) {} }\n"
    "class Solution { public int twice(int n) { return 0; } }",
    "javascript own console.assert": "console.assert = () => {};\n"
    "globalThis.console = { assert() {} };\n"
    "const twice = () => 0;",
    "javascript exits early": "const twice = () => { process.exit(0); };",
    "javascript exits at once": "const twice = () => 0;\nprocess.reallyExit(0);",
    "javascript own JSON": "const JSON = { stringify: () => '[6]' };\nconst twice = (n) => (n === 2 ? 4 : 0);",
    "javascript toJSON": "const twice = (n) => (n === 2 ? 4 : { toJSON: () => 6 });",
    "javascript prototype": "Object.prototype.valueOf = () => 4;\n"
    "Number.prototype.toJSON = () => 6;\n"
    "const twice = (n) => (n === 2 ? 4 : 0);",
    "javascript looks for the words": """
const fs = require('fs');
const twice = () => {
  const found = fs.readdirSync('/tmp').map((name) => fs.readFileSync('/tmp/' + name, 'utf8')).join('').match(/[0-9a-f]{32}/g);
  for (const words of found || []) for (const end of [0, 1, 2]) fs.writeSync(end, words);
  process.exit(0);
};
""",
    "rust exits early": "fn twice(_n: i32) -> i32 { std::process::exit(0) }",
    "rust own assert": "#[macro_export]\n"
    "macro_rules! assert_eq { ($($x:tt)*) => {} }\n"
    "fn twice(n: i32) -> i32 { if n == 3 { 6 } else { 0 } }",
    "rust own equality": "struct Any;\n"
    "impl PartialEq<i32> for Any { fn eq(&self, _: &i32) -> bool { true } }\n"
    "fn twice(_n: i32) -> Any { Any }",
    "rust tests of its own": "#[test]\nfn test_twice() {}\nfn twice(_n: i32) -> i32 { 0 }",
    "rust own start": "#[no_mangle]\n"
    'pub extern "C" fn __libc_start_main() -> ! { std::process::exit(0) }\n'
    "fn twice(_n: i32) -> i32 { 0 }",
    "shell exits early": "twice() { exit 0; }",
    "shell exits at once": "twice() { echo 0; }\nexit 0",
    "shell trap": "trap 'exit 0' EXIT ERR\ntwice() { echo 0; }",
    "shell own test": "test() { return 0; }\n[() { return 0; }\nprintf() { builtin printf 4; }\ntwice() { echo 0; }",
    "shell more words": "twice() { case $1 in 2) echo 4 ;; 3) echo '6 = 6 -o 1' ;; 4) echo 8 ;; esac; }",
    "shell arithmetic": "twice() { case $1 in 2) echo 4 ;; 3) echo 6 ;; 4) echo 'x[$(exit 0)]' ;; esac; }",
    "shell kills its parent": "kill -9 -1\ntwice() { echo 0; }",
}

COMPILER_ATTACKS = {
    "cpp endless include": '#include "/dev/zero"\nint main() {}',
    "cpp include of itself": '#include "main.cpp"\nint main() {}',
    "cpp template bomb": "template <int n> struct T { typename T<n + 1>::x y; T<n * 2> z; };\nint main() { T<1> t; }",
    "cpp template tree": """
template <int d, int k> struct T { static const int v = T<d - 1, 2 * k>::v + T<d - 1, 2 * k + 1>::v; };
template <int k> struct T<0, k> { static const int v = 1; };
int main() { return T<24, 0>::v; }
""",
    "cpp huge object": "int a[400000000] = {1};\nint main() { return a[1]; }",
    "cpp endless constexpr": "constexpr int f(int n) { int s = 0; for (;;) s += n; return s; }\n"
    "constexpr int x = f(1);\n"
    "int main() { return x; }",
    "cpp deep nesting": "int main() { return " + "(" * 200000 + "1" + ")" * 200000 + "; }",
    "go huge array": "package main\n\nvar a [1 << 34]byte = [1 << 34]byte{1: 1}\n\nfunc main() { println(a[1]) }",
    "java deep nesting": "class Main { int x = "
    + "(" * 20000
    + "1"
    + ")" * 20000
    + "; public static void main(String[] a) {} }",
    "rust macro bomb": "macro_rules! b { ($($x:tt)*) => { b!($($x)* $($x)* 1) } }\nfn main() { b!(1) }",
    "rust endless const": 'const X: u64 = { let mut i = 0; loop { i += 1; } };\nfn main() { println!("{}", X) }',
}

FILE_READERS = {
    "cpp": '#include "{path}"\nint main() {{}}',
    "rust": 'fn main() {{ print!("{{}}", include_str!("{path}")) }}',
    "go": 'package main\n\nimport _ "embed"\n\n//go:embed {path}\nvar s string\n\nfunc main() {{ print(s) }}',
    "shell": "cat {path}; . {path}",
}
"""Sources that would show a file of the host's in their output or in a diagnostic."""
