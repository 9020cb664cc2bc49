"""Small templates that use one thing each; test_render.py renders them by jinja2 and by holdfast and compares."""

VARIABLES = {
    "messages": [
        {"role": "system", "content": "  Be terse.\n"},
        {"role": "user", "content": "Grüße, 世界! 🙂 it's \"quoted\""},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": {"x": 1.5, "ok": True}}}]},
        {"role": "tool", "content": "{\"a\": [1, 2]}", "items": "shadowed"},
    ],
    "numbers": [3, 1, 2, 10, -4],
    "floats": [0.1, 1e16, 1e-5, 123456789.0, -0.0, 2.5, 3.5, 1e300],
    "words": ["banana", "Apple", "cherry", "apple"],
    "nested": {"b": {"y": [1, {"z": None}]}, "a": [], "C": (1, 2), "d": ""},
    "empty": [], "nothing": None, "yes": True, "no": False, "n": 7, "f": 2.5, "s": "The quick-brown fox's (jump) over\nlazy dogs",
    "big": 2**62, "html": "<a href='x'>&</a>", "bos_token": "<s>", "eos_token": "</s>",
    "pairs": [["k1", 1], ["k2", 2]], "people": [{"n": "x", "g": "A", "age": 3}, {"n": "y", "g": "b", "age": 1}, {"n": "z", "g": "a", "age": 2}],
}

# Expressions, each rendered as {{ ... }}.
EXPRESSIONS = """
1 + 2 * 3 - 4 // 3 % 2
7 // 2, -7 // 2, 7 // -2, -7 % 3, 7 % -3, 7.5 // 2, -7.5 % 2, 1 / 3, 4 / 2
2 ** 10, 2 ** -1, 2 ** 0.5, -2 ** 2, 2 ** 3 ** 2
True + 1, true == 1, 1 == 1.0, 1.0 == true, none == false
not 1 == 2, not none, 1 < 2 < 3, 1 < 3 < 2, 3 > 2 >= 2 != 1
'a' ~ 1 ~ none ~ 1.5 ~ true ~ [1, 'x']
'a' + 'b' * 3, [1] + [2], (1,) + (2,), [0] * 3, 3 * 'ab'
1 in [1, 2], 'a' in 'cat', 'a' in {'a': 1}, 3 not in (1, 2), none in [none], 1.0 in [1]
'yes' if n > 5 else 'no', ('x' if no), (1 if no else 2 if no else 3)
n and f or 's', no or nothing, yes and '' , '' or [] or 'end'
numbers[0], numbers[-1], numbers[99], numbers[1:3], numbers[::-1], numbers[:-1], numbers[3:1], numbers[::2], numbers[-2:]
s[0], s[-1], s[4:9], s[::-1], messages[1].content[0:6], messages[1].content[-3:]
messages[0].role, messages[0]['role'], messages[0].missing, messages[0]['missing'], nested.b.y[1].z
nested.b.y.0, numbers.1
(1, 2)[0], [1, 2][1], {'a': 1}['a'], 'abc'[1], (1,), (), [], {}, ((1, 2), 3)
{'a': 1, 'b': [1, 2.0], 3: none, none: true, true: 'x', (1, 2): 4}
[1, 2.0, 'it\\'s', "say \\"hi\\"", 'both \\' and "', none, true, [], {}, (1,), 'tab\\tnl\\n', 'é', '\\x00\\x7f\\u200b']
'\\u00e9\\x41\\101\\q\\n|', 'a' 'b' "c"
floats, 1e3, 1.0, 1_000, 0x1F, 0b101, 0o17, 1.5e-7, 12345678901234567890.0, 1e22, 1e15, 123456789012345680.0
f|string, 100000000000000000|string, 1e100
big * 2, big + big, -big, big // 3
undefined_name is defined, undefined_name|default('d'), undefined_name|d, nothing|default('d'), nothing|default('d', true), ''|d('x', boolean=true)
undefined_name, undefined_name == undefined_other, [undefined_name], undefined_name|length, undefined_name|list, undefined_name ~ 'x'
n is number, f is float, n is integer, true is integer, true is boolean, 'x' is string, nested is mapping, [] is sequence, 'a' is sequence, {} is sequence, n is iterable, 'a' is iterable, none is none, n is odd, n is even, 9 is divisibleby 3, 9 is divisibleby(2)
n is eq 7, n is equalto 7, n is ne 8, n is gt 5, n is ge 7, n is lt 5, n is le 7, n is sameas 7, 'a' is in ['a'], 'a' is lower, 'A' is upper, n is not none, range is callable, n is callable, 'upper' is filter, 'odd' is test, 'nope' is filter
true is true, false is false, 1 is true, 0 is false, none is undefined, x is undefined, none is mapping
numbers|sort, numbers|sort(reverse=true), words|sort, words|sort(case_sensitive=true), people|sort(attribute='age')|map(attribute='n')|list, people|sort(attribute='g,age')|map(attribute='n')|join
numbers|min, numbers|max, words|min, words|max, people|max(attribute='age'), []|min, []|max is undefined, words|min(case_sensitive=true)
numbers|sum, people|sum('age'), people|sum(attribute='age', start=10), []|sum, floats[:3]|sum, [[1], [2]]|sum(start=[])
numbers|first, numbers|last, ''|first, []|first is defined, s|first, s|last, nested|first, range(3)|last
numbers|join, numbers|join(', '), people|join('/', attribute='n'), ''|join('x'), 'abc'|join('-'), [1, none, 2.5, 'x']|join('|'), nested|join(',')
numbers|list, 'abc'|list, nested|list, range(4)|list, (1, 2)|list, nested.items()|list
numbers|length, s|length, nested|count, range(3)|length, messages[1].content|length
numbers|map('abs')|list, words|map('upper')|list, words|map('replace', 'a', 'o')|list, people|map(attribute='zz', default='?')|list, pairs|map('first')|list, people|map(attribute='n')|join
numbers|select|list, numbers|select('odd')|list, numbers|select('gt', 2)|list, numbers|reject('even')|list, [0, 1, '', 'x', none]|select|list, [0, 1]|reject|list
people|selectattr('age', 'gt', 1)|map(attribute='n')|list, people|rejectattr('age', 'eq', 1)|map(attribute='n')|list, messages|selectattr('tool_calls')|list|length, messages|selectattr('content', 'none')|list|length, messages|selectattr('role', 'in', ['user', 'tool'])|map(attribute='role')|list
people|groupby('g'), people|groupby('g', case_sensitive=true), people|groupby('zz', default='none')|length, people|groupby('age')|map('first')|list
words|unique|list, words|unique(case_sensitive=true)|list, [1, 1.0, true, 2]|unique|list, people|unique(attribute='g')|map(attribute='n')|list
numbers|batch(2)|list, numbers|batch(3, 0)|list, numbers|slice(3)|list, numbers|slice(2, 'f')|list, 'abcde'|batch(2)|list
html|safe + '<', '<' + html|e, (html|e) * 2, [html|safe], html|e|e, html|e|forceescape, html|safe ~ '<', 'a<b'|e is escaped, 'a' is escaped
('<%s|%r>'|safe) % ('<', '<'), ('<%s>'|safe) % 5, ('%d'|safe) % 5, ('%x'|safe) % 5, ('{}<{!r}>'|safe).format('<', '<'), ('{:>5}'|safe).format('<'), ('%(a)s'|safe) % {'a': '<'}
('<a>, b'|safe).split(','), ('<'|safe).join(['<', 5]), '<'.join(['<'|safe]), ('<a>'|safe).replace('a', '<'), ('<a>'|safe)[1:], ('<a>'|safe)|last, ('<a>'|safe)|first, ('a'|safe).center(5, '<')
('&lt;b&gt; <i>x</i>'|safe).striptags(), ('&lt;'|safe).unescape(), ('<abcdef ghi'|safe)|truncate(6, end='<', leeway=0), ('a\nb'|safe)|indent ~ '<', (s|safe)|upper|trim + '<'
messages|pprint, people|pprint, nested|pprint, words|pprint, [s * 2, s * 3]|pprint, {s: [1, 2], 'a': s * 2}|pprint, (s * 3)|pprint, ((s * 3),)|pprint, {}|pprint, ('x' * 100)|pprint, (range(40)|list)|pprint
'{:010,}'.format(2.5), '{:012_x}'.format(1000000), '{:#_b}'.format(1000), '{:08,}|{:+}'.format(1234, 5), '{:_o}'.format(123456), '{:+}'.format('a')
[]|batch('x')|list, 'abc'|truncate(1e20), [1]|truncate(5, end=[]), 'abc'|truncate(end=none), 'a b'|wordwrap(2.5), 2.5|round(none), 'a'.rjust(3, none)
numbers|reverse|list, 'abc'|reverse, (1, 2)|reverse|list, nested|reverse|list
nested|dictsort, nested|dictsort(case_sensitive=true), {'b': 1, 'a': 2}|dictsort(by='value'), {'b': 1, 'a': 2}|dictsort(reverse=true)
nested.keys()|list, nested.values()|list, nested.items()|list, nested.keys(), nested.values(), nested.items(), nested|items|list
nested.get('a'), nested.get('q'), nested.get('q', 5), nested.get('b').get('y')[0]
s|upper, s|lower, s|title, s|capitalize, s.title(), s.capitalize(), s.swapcase(), 'ß'|upper, 'ß'.title(), 'ΑΣ'|lower, 'ǆ'.title(), 'they\\'re bill\\'s'.title()
s|replace('o', '0'), s|replace('o', '0', 1), 'aaa'|replace('', '-'), 'aaa'.replace('a', 'b', 2), 'x'.replace('', 'y'), 'abc'|replace('b', 1)
s|trim, '  x '|trim, 'xxaxx'|trim('x'), '  x '.strip(), 'xyax'.strip('xy'), '  x '.lstrip() ~ '|', '  x '.rstrip() ~ '|', '\\u3000x\\u00a0'.strip()
s.split(), s.split('o'), s.split(' ', 1), s.rsplit(' ', 1), ' a  b '.split(), ' a  b '.split(' '), 'a,b,,c'.split(','), ''.split(), ''.split(','), 'a b c'.split(maxsplit=1), 'a b c'.rsplit(none, 1), 'a--b'.split('--')
'a\\nb\\r\\nc\\u2028d\\n'.splitlines(), 'a\\nb\\n'.splitlines(true)
s.startswith('The'), s.endswith('dogs'), s.startswith(('x', 'The')), s.startswith('quick', 4), s.endswith('x'), 'abc'.startswith('b', 1, 2)
s.find('q'), s.find('zz'), s.rfind('o'), s.index('q'), s.count('o'), s.count(''), 'aaa'.count('aa'), messages[1].content.find('世')
'-'.join(words), ''.join([]), ','.join('abc'), ', '.join(nested)
'a=b=c'.partition('='), 'a=b=c'.rpartition('='), 'abc'.partition('x'), 'abc'.rpartition('x')
'prefix-x'.removeprefix('prefix-'), 'x.txt'.removesuffix('.txt'), 'abc'.removeprefix('z')
'x'.center(6), 'x'.center(5, '*'), 'xy'.center(5, '*'), 'x'.ljust(3) ~ '|', 'x'.rjust(3, '.'), '7'.zfill(3), '-7'.zfill(4), 'abc'|center(10), 'a\\tb'.expandtabs(4)
'abc'.isalpha(), 'ab1'.isalnum(), '12'.isdigit(), '½'.isnumeric(), '²'.isdigit(), '²'.isdecimal(), ' '.isspace(), ''.isspace(), 'Ab'.istitle(), 'AB'.isupper(), 'ab'.islower(), '1'.isupper(), 'a_1'.isidentifier(), 'é'.isascii(), 'a\\n'.isprintable()
'%s and %s' % ('a', 1), '%d' % 3.7, '%05d|%-5d|%+d|% d' % (1, 2, 3, 4), '%.2f|%8.3f|%e|%g|%G' % (1.005, 2.0, 12345.678, 0.0001, 1e-10), '%x %X %o %#x' % (255, 255, 8, 255), '%r %s %%' % ('a', none), '%(a)s-%(b)d' % {'a': 1, 'b': 2}, '%c%c' % ('a', 98), '%*d' % (5, 3), '%5s|%-5s|%.2s' % ('ab', 'ab', 'abcdef'), '%s' % 1.0, '%s' % [1], '%i' % true
'%s' % undefined_name, '%s %s' % (1, undefined_name)
'{} {}'.format(1, 'a'), '{1}{0}'.format('a', 'b'), '{x} {y!r}'.format(x=1, y='q'), '{0[a]} {1.role}'.format({'a': 5}, messages[0]), '{:>5}|{:<5}|{:^5}|{:*^7}'.format('a', 'b', 'c', 'd'), '{:05d} {:+} {:,} {:_}'.format(42, 3, 1234567, 1234567), '{:.3f} {:e} {:g} {:%} {:.1%}'.format(3.14159, 1234.5, 0.00001, 0.25, 0.256), '{:x} {:#x} {:b} {:o} {:X} {:c}'.format(255, 255, 5, 8, 255, 65), '{{}} {:{}}'.format('x', 4), '{!s:>4}'.format(none), '{:.2}'.format('abcdef'), '{:10.3}|'.format(2.0/3), '{}'.format(1.0), '{:,.2f}'.format(1234567.891), '{:06.2f}'.format(-1.5), '{:<06d}|'.format(42), '{:d}'.format(true), '{}'.format(true)
'%s %s'|format('a', 2), '%(x)s'|format(x=1), '%s'|format([1, 2])
3.7|int, '42'|int, '42.9'|int, 'x'|int, 'x'|int(5), '0x1F'|int(0, 16), '101'|int(base=2), true|int, ' 7 '|int, none|int, '1_000'|int, '3.5'|float, 'x'|float, 'x'|float(1.5), 3|float, '1e3'|float, 'nan'|float, 'inf'|float
2.5|round, 3.5|round, 2.675|round(2), 1234.5678|round(-2), 2.1|round(method='ceil'), 2.9|round(0, 'floor'), 5|round, 15|round(-1), 25|round(-1), 2.55|round(1, 'ceil'), -2.5|round, 0.5|round, 1e20|round
-3|abs, 3.5|abs, true|abs
html|e
html|escape ~ ''
html|safe
html|striptags, '<!-- x -->a <b>c</b>\\n d'|striptags, html|urlencode, 'a b/ü?&='|urlencode, {'a b': 1, 'c': 'd/e'}|urlencode, pairs|urlencode
s|wordcount, s|wordwrap(10), s|wordwrap(5, false), 'aaaaaaaaaa bb'|wordwrap(4), 'one-two three-four'|wordwrap(6), 'a\\n\\nb c d e f'|wordwrap(3, true, '~')
s|truncate(20), s|truncate(20, true), s|truncate(20, true, '…'), s|truncate(10, false, '', 0), s|truncate(300), [1, 2]|truncate(8), 'foo bar baz qux'|truncate(9), 'foo bar baz qux'|truncate(11, leeway=0)
s|indent, s|indent(2, true), 'a\\n\\nb'|indent(2), 'a\\n\\nb'|indent(2, blank=true), s|indent('> '), ''|indent(2, true), 'a\\n'|indent(1)
100|filesizeformat, 1|filesizeformat, 1000|filesizeformat, 1234567|filesizeformat, 1234567|filesizeformat(true), 1e12|filesizeformat, '5000'|filesizeformat, 0|filesizeformat
{'a': 1, 'b': none, 'c': '<'}|xmlattr, {'a': 1}|xmlattr(false), {}|xmlattr
messages|tojson, nested|tojson, floats|tojson, 'é\\u2028<>&\\'"\\n\\x01\\x7f'|tojson, 'é🙂'|tojson(ensure_ascii=true), {'b': 1, 'a': 2}|tojson(sort_keys=true), numbers|tojson(indent=2), nested|tojson(indent=4), {}|tojson(indent=2), {'a': {}, 'b': []}|tojson(indent=2), [1, {'a': 2}]|tojson(separators=(',', ':')), [1, 2]|tojson(indent='--'), [1]|tojson(indent=0), {1: 2, none: 3, true: 4, 1.5: 5}|tojson, 'x'|tojson, none|tojson, true|tojson, 1e16|tojson, 'inf'|float|tojson
range(5), range(1, 10, 3)|list, range(5, 0, -2)|list, range(3)[1], range(10)[2:5], range(0)|list, 3 in range(5), range(3) == range(0, 3)
dict(a=1, b=2), dict([['a', 1]], b=2), dict(nested, z=1)|length, dict.fromkeys(['a', 'b'], 0), dict()
namespace(a=1).a, namespace({'b': 2}).b, namespace(a=1), namespace().x is defined
messages|map(attribute='content')|select('string')|map('trim')|list
messages|attr('x') is defined, nested|attr('items') is defined, n|attr('real')
numbers is iterable, messages[0] is mapping, messages[0].content is string, messages[2].tool_calls is defined, messages[2].tool_calls is iterable and messages[2].tool_calls is not string
[] == [], [1, 2] == [1, 2.0], (1,) == [1], {'a': 1, 'b': 2} == {'b': 2, 'a': 1}, 'a' < 'b', [1, 2] < [1, 3], (1, 2) <= (1, 2), 'Z' < 'a', 'é' > 'z', [] < [0]
[1, 2, 3].index(2), [1, 1].count(1), (1, 2).index(2), 'abc'.index('c'), (2.0).is_integer(), 7 .bit_length()
n.real, f.imag, 'a'.upper().lower().strip('a') ~ 'x'
1 if 0, 'a' if yes else
(1 + 2) * 3, -(-3), +4, - 3|abs, -3|abs + 1, (-3)|abs
not yes or yes, not (yes or yes), yes and not no
'x' is string and 'y' is string or no
numbers | length > 3 and numbers | first == 3
'a' 'b' | upper, 'a' ~ 'b' | upper, ('a' ~ 'b') | upper
1.e5
.5
1..real
5 is divisibleby 5 and 3
nested['b']['y'][1]['z'] is none
[1,2,][-1], (1,2,)[0], {'a':1,}.a
'abc'[::-2], numbers[5:], numbers[-100:100], 'abc'[1:][0], numbers[1:3][0]
foo.bar
foo['bar']
nothing.x.y
messages[9].role
nothing + 1
'a' + 1
1 + 'a'
[1] + 'a'
1 < 'a'
none < 1
[] < 'a'
1 / 0
1 // 0
1 % 0
1.5 % 0
'a' * 'b'
'abc' - 'a'
-'a'
1()
nothing()
undefined_name()
nothing|length
5|list
5|first
none|join
1 in 5
5 in 'abc'
'x'|nofilter
'x' is notest
range(1000000)
range()
{}['a'].b
'%d' % 'a'
'%s %s' % 'a'
'%s' % (1, 2)
'%z' % 1
'{}'.format()
'{x}'.format()
'{:d}'.format('a')
'abc'.index('z')
[1].index(5)
{[]: 1}
[1, 'a']|sort
[{}, {}]|sort
[1, none]|min
messages|tojson(foo=1)
undefined_name|tojson
range(3)|tojson
nested.pop('a')
numbers.append(1)
nested.update({})
''.__class__
nested.__class__
namespace(_a=1)
raise_exception('custom message')
raise_exception(5)
'abc'.join(5)
','.join([1])
'a'.split('')
'abc'|batch(0)|list
messages|map|list
messages|map('nope')|list
nested['x' 'y']
dict(1)
dict([1])
namespace(1)
loop
caller()
'a' is in 5
1 is divisibleby 0
'a' is odd
numbers[1:'a']
nothing[1:]
nested[1:]
n[1:]
undefined_name[1:]
range(3)[1:]|list, (1, 2, 3)[::2]
numbers['a'], numbers[none], numbers[1.0]
numbers[::0]
s[99], s['x']
n[0]
n.x
true.x
nested.b.q.r
'%5.1f%%' % 99.5
'a,b'.split(',')|map('int')|list
''|default('x')|upper
words|sort|first|upper
(words|sort)[0]
3 | string ~ 4
1.0 * 3, 0.1 + 0.2, 1e16 + 1.0, 3 * 1.1, 2 ** 0.5, 10 / 4, 10 // 4.0, 1e308 * 10, -1e308 * 10
2 ** 62 * 2, 9223372036854775807 + 1, -9223372036854775808 - 1
7.0 // 0.3, -7.0 % 0.3, 5 % -3.0, 0.0 // -1
'1' + 1|string, 1 ~ 2 == '12'
1 == '1', 'a' == 1, none == undefined_name, [1] == (1,)
[[1, 2], [3]]|sum(start=[])
[(1, 'a'), (0, 'b')]|sort, [[2], [1, 5]]|sort
'ab'|list|join('-'), {'a': 1}|list|first
x.y is defined
(x or {}).y is defined
x is defined and x.y
'line1\\nline2'|indent(width=3, first=true)
'abc' in ['abc'], 'ab' not in 'abc'
cycler('a', 'b').next(), joiner('|')() ~ 'x'
strftime_now('%Y-%m-%d %H:%M:%S %j %a %A %b %B %y %p %I %d/%e %-d %U %w %% %Z%z|%f %F %T %D %c %x %X')
'😀é'|length, '😀é'[0], '😀é'[::-1], '😀é'|upper, '😀é'.center(5, '*'), '%3s' % 'é'
""".strip("\n").split("\n")

TEMPLATES = [
    "{% for a, b in [[1, 2], [3, 4]] if a %}{{ loop.nextitem }}{{ loop.previtem }}{% endfor %}{% for a, b in [[1, 2], [3, 4]] %}{{ loop.nextitem }}{% endfor %}",
    "{% for x in numbers %}{{ loop.index }}/{{ loop.length }}:{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for x in numbers if x > 1 %}{{ loop.index0 }}{{ x }}{{ loop.first }}{{ loop.last }}{{ loop.revindex }}{{ loop.revindex0 }}|{% else %}none{% endfor %}",
    "{% for x in empty %}x{% else %}empty{% endfor %}{% for x in nothing or [] %}x{% else %}e2{% endfor %}",
    "{% for k, v in nested.items() %}{{ k }}={{ v }};{% endfor %}{% for k in nested %}{{ k }}{% endfor %}{% for c in 'héy' %}[{{ c }}]{% endfor %}",
    "{% for k, v in nested|dictsort %}{{ k }}{% endfor %}{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for x in [1, 2] %}{% for i in [] %}a{% else %}{% break %}{% endfor %}b{% endfor %}", "{% for x in [1, 2] %}{% for i in [] %}a{% else %}{% continue %}{% endfor %}b{% endfor %}c",
    "{% for i in [1, 2, 3] %}{% set x %}{% if i == 2 %}{% break %}{% endif %}q{% endset %}{{ x }}{% endfor %}{{ x }}", "{% for i in [1, 2, 3] %}{% set x %}{% if i == 2 %}{% continue %}{% endif %}q{% endset %}{{ x }}{{ i }}{% endfor %}",
    "{% for i in [1, 2] %}{% filter upper %}a{% break %}{% endfilter %}{% endfor %}",
    "{% for x in numbers %}{% if loop.index == 2 %}{% continue %}{% endif %}{% if x == 10 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in numbers %}{% break %}{% else %}left{% endfor %}{% for x in numbers %}{% continue %}{% else %}cut short{% endfor %}",
    "{% for x in numbers %}{% if x == 1 %}{% break %}{% endif %}{% else %}no{% endfor %}{% for x in numbers %}{% if x > 1 %}{% continue %}{% endif %}{% else %}no{% endfor %}",
    "{% for x in numbers %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {{ loop.previtem is defined }}{% endfor %}",
    "{% for x in [1, 1, 2, 2, 1] %}{{ loop.cycle('a', 'b') }}{% if loop.changed(x) %}!{% endif %}{% endfor %}",
    "{% for x in [[1, [2, [3]]], [4]] recursive %}{% if x is iterable %}[{{ loop.depth }}{{ loop(x) }}]{% else %}{{ x }}{% endif %}{% endfor %}",
    "{% for i in range(2) %}{% for j in range(2) %}{{ i }}{{ j }}{{ loop.index }} {% endfor %}{{ loop.index }};{% endfor %}",
    "{% set x = 1 %}{% for i in range(3) %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}",
    "{% set ns = namespace(t=0, l=[]) %}{% for i in numbers %}{% set ns.t = ns.t + i %}{% set ns.l = ns.l + [i] %}{% endfor %}{{ ns.t }} {{ ns.l }} {{ ns.zz is defined }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, d) = [3, 4] %}{{ c }}{{ d }}{% set ns = namespace() %}{% set ns.a, ns.b = 5, 6 %}{{ ns.a }}{{ ns.b }}",
    "{% set x %}  block {{ n }}\n{% endset %}[{{ x }}]{% set y | upper | trim %} abc {% endset %}[{{ y }}]",
    "{% if n > 10 %}a{% elif n > 5 %}b{% else %}c{% endif %}{% if undefined_name %}x{% endif %}{% if not empty %}e{% endif %}",
    "{% macro m(a, b=2, *args) %}{% endmacro %}",
    "{% macro m(a, b=2, c=a) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }}|{{ m(1, 3) }}|{{ m(1, c=5) }}|{{ m(b=1) }}|{{ m(1)|length }}|{{ m.name }}|{{ m }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(z=2) }}",
    "{% macro m(a) %}<{{ caller() }}>{{ a }}{% endmacro %}{% call m(1) %}body {{ n }}{% endcall %}",
    "{% macro m(l) %}{% for x in l %}{{ caller(x, loop.index) }}{% endfor %}{% endmacro %}{% call(x, i) m([5, 6]) %}({{ i }}:{{ x }}){% endcall %}",
    "{% macro m() %}x{% endmacro %}{% call m() %}{% endcall %}",
    "{% macro f(n) %}{% if n > 0 %}{{ n }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}",
    "{% macro outer() %}{% macro inner() %}in{% endmacro %}{{ inner() }}{{ n }}{% endmacro %}{{ outer() }}{{ inner is defined }}",
    "{% set g = 1 %}{% macro m() %}{{ g }}{% endmacro %}{% set g = 2 %}{{ m() }}",
    "{% macro m() %}{% set q = 5 %}{{ q }}{% endmacro %}{{ m() }}{{ q is defined }}",
    "{% for i in range(2) %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% filter upper %}abc {{ s }}{% endfilter %}{% filter replace('a', 'b')|indent(2) %}a\na{% endfilter %}",
    "{% with a = 1, b = n %}{{ a }}{{ b }}{% set a = 3 %}{{ a }}{% endwith %}{{ a is defined }}",
    "{% with %}{% set z = 1 %}{{ z }}{% endwith %}{{ z is defined }}",
    "{% generation %}gen {{ n }}{% set inside = 1 %}{% endgeneration %}{{ inside is defined }}",
    "{% raw %}{{ x }}{% if %}{# c #}{% endraw %}|{%- raw -%}  a  {%- endraw -%}  |",
    "a{# comment #}b{#- c -#} c {#- multi\nline #}d",
    "  {% if yes %}\n  x\n  {% endif %}\n y \n",
    "  {%- if yes %}\n  x\n  {%- endif -%}\n y \n",
    "  {%+ if yes +%}\n  x\n  {%+ endif %}\n y \n\n",
    "a\n    {{ n }}\n    {{- n }}\n  {{ n -}}\n  b",
    "a\n  {# c #}\nb\n  {#+ c #}\nc {# d +#}\nd",
    "{% for i in range(2) %}\n  {{ i }}\n{% endfor %}\n",
    "x\r\ny\rz\n{{ n }}\r\n",
    "{{ '{{' }}{{ '}}' }}{{ {'a': {'b': 1}}['a']['b'] }}{{ '%}' }}",
    "{{ 1 }}{{2}}{{- 3 -}}  {{ 4 }}",
    "{% set x = [1,\n 2,\n 3] %}{{ x }}",
    "{% print 1, 2 %}{% do 1 %}",
    "{% block a %}in block {{ n }}{% endblock %}{% block b %}{% endblock b %}",
    "{% if %}", "{% if x %}", "{% endif %}", "{% for x %}{% endfor %}", "{{ }}", "{{ 1 + }}", "{{ (1 }}", "{{ 'abc }}", "{% unknown %}", "{{ x", "{% if x", "{# x", "{% raw %}", "{{ 1 2 }}",
    "line1\n{{ 1 }}\n{% if yes %}\n{{ foo.bar }}\n{% endif %}", "a\nb\n{{ raise_exception('at three') }}", "\n\n{% for m in messages %}\n{{ m.content + 'x' }}\n{% endfor %}",
    "{% macro m(x) %}\n\n{{ x.y.z }}\n{% endmacro %}\n\n{{ m({}) }}", "{% if no %}{{ 'x'|nofilter }}{% endif %}ok", "{% if no %}{{ 'x' is notest }}{% endif %}ok", "{{ 'x'|nofilter if no else 'y' }}",
    "{% for x in 5 %}{% endfor %}", "{% for a, b in [1] %}{% endfor %}", "{% for a, b in [(1, 2, 3)] %}{% endfor %}", "{% for a, b in [(1,)] %}{% endfor %}", "{% for x in nothing %}{% endfor %}",
    "{% set n.x = 1 %}", "{% set zz.x = 1 %}", "{% set ns = namespace() %}{% set ns._x = 1 %}", "{% set 1 = 2 %}", "{% set none = 2 %}", "{% include 'x' %}", "{% extends 'x' %}",
    "{% set ns = namespace(found=false) %}{% for m in messages %}{% if m.role == 'user' and not ns.found %}{% set ns.found = true %}{{ loop.index0 }}{% endif %}{% endfor %}{{ ns.found }}",
    "{% set it = numbers|map('abs') %}{{ it|list }}{{ it|list }}", "{% set it = messages|selectattr('content') %}{% for m in it %}{{ m.role }}{% endfor %}{{ it|list|length }}",
    "{{ messages|map(attribute='role') is iterable }}{{ (numbers|select('odd'))|first }}", "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.next() }}{{ c.reset() }}{{ c.current }}",
    "{% set j = joiner(', ') %}{% for x in numbers %}{{ j() }}{{ x }}{% endfor %}", "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% else %}{% set loop_messages = messages %}{% endif %}{{ loop_messages|length }}",
    "{%- set x = 'a' -%}\n\n{{- x -}}\n\n{{ x }}", "{% for m in messages -%}\n{{ m.role }}\n{%- endfor %}", "{{ bos_token }}{% for m in messages %}{{ '<|' + m['role'] + '|>\\n' }}{% endfor %}",
    "{% set x = 5 if yes %}{{ x }}{% set y = 5 if no %}{{ y }}", "{{ x.y if x is defined else 'none' }}", "{% for x in numbers|sort if x is odd %}{{ x }}{% endfor %}", "{{ loop }}{% for x in [1] %}{{ loop }}{% endfor %}",
    "{% for x in [1,2] %}{% set outer = loop %}{% for y in [3] %}{{ outer.index }}{{ loop.index }}{% endfor %}{% endfor %}", "{% call(x) undefined_name() %}{% endcall %}", "{% set a = b = 1 %}",
    "{{ [1, 2\n, 3]|map('string')\n|join }}\n{{ zz.y }}", "{% if true %}\n\n\n{{ 1/0 }}{% endif %}", "{{ 'a'\n ~ 'b'\n ~ 1/0 }}",
    "{% macro a(x=1, y) %}{% endmacro %}", "{{ dict(a=1, **{'b': 2}) }}{{ dict(*[[['k', 'v']]]) }}{{ m(*[1], **{}) }}",
    "{% for _ in range(3) %}{{ _ }}{% endfor %}", "{% for i in range(3) -%} {{ i }} {%- endfor %}", "{%- for i in range(3) %} {{ i }}\n{% endfor -%}\n x", "{{ 5 }}\n{# a #}\n{% set x = 1 %}\n{{ x }}\n",
    "{% if yes %}{% set v = 1 %}{% endif %}{{ v }}{% if no %}{% set w = 1 %}{% endif %}{{ w is defined }}", "{% set x = 1 %}{% if yes %}{% set x = 2 %}{% endif %}{{ x }}", "{% set n = n + 1 %}{{ n }}",
    "{% for n in [1] %}{% endfor %}{{ n }}", "{% macro t(n) %}{{ n }}{% endmacro %}{{ t() }}{{ t(undefined_name) }}", "{% macro t(n) %}{{ n.x }}{% endmacro %}{{ t() }}", "{{ caller }}", "{{ varargs }}",
    "{% set a = 1 %}{% for i in [1, 2] %}{{ a }}{% set a = i + 10 %}{{ a }}{% endfor %}", "{% for i in [1, 2, 3] %}{% if i == 1 %}{% set first = i %}{% endif %}{{ first }}{% endfor %}",
    "{% if a is defined and a.b is defined %}x{% endif %}y", "{% set x = namespace(a=namespace(b=1)) %}{{ x.a.b }}{% set x.a = 2 %}{{ x.a }}{{ x }}", "{{ messages|length }}{{ messages | last | tojson }}",
    "{{ '[[1, 1.0, True]]'|wordwrap(5) }}|{{ 'ab--cd1-2efgh -- --abc'|wordwrap(4) }}|{{ 'aa bbbbbbbbb cc'|wordwrap(3) }}",
    # What a name is before it is set, in scopes around and within.
    "{% for x in [1] %}{{ n }}{% endfor %}{% set n = 1 %}{{ n }}",
    "{% macro m(a=n) %}{{ a }}{{ n }}{% endmacro %}{{ m() }}{% set n = 1 %}{{ m() }}",
    "{{ n }}{% for x in [1] %}{{ n }}{% endfor %}{% set n = 1 %}{{ n }}",
    "{% if yes %}{% for x in [1] %}{{ n }}{% endfor %}{% endif %}{% set n = 1 %}{{ n }}",
    "{% for x in [1] %}{% for y in [1] %}{{ n }}{% endfor %}{% set n = 2 %}{{ n }}{% endfor %}{{ n }}",
    "{% for x in [1, 2] %}{% if x == 2 %}{{ n }}{% endif %}{% set n = 5 %}{% endfor %}{{ n }}",
    "{% for x in [1, 2] %}{% for y in [1] %}{{ n }}{% endfor %}{% set n = 5 %}{% endfor %}{{ n }}",
    "{% if no %}{% set n = 5 %}{% endif %}{{ n }}{% for x in [1] %}{{ n }}{% endfor %}",
    "{% if no %}{% set n = 5 %}{% endif %}{% for x in [1] %}{{ n }}{% endfor %}",
    "{% if no %}{% set zz = 5 %}{% endif %}{% for x in [1] %}{{ zz is defined }}{% endfor %}",
    "{% if yes %}{% set n = 5 %}{% endif %}{% for x in [1] %}{{ n }}{% endfor %}",
    "{% set q %}{{ n }}{% endset %}{{ q }}{% set n = 1 %}",
    "{% with %}{{ n }}{% endwith %}{% set n = 1 %}",
    "{% filter upper %}{{ n }}{% endfilter %}{% set n = 1 %}",
    "{% for x in numbers if x > n %}{{ x }}{% endfor %}{% set n = 1 %}",
    "{% for x in [n] %}{{ x }}{% endfor %}{% set n = 1 %}",
    "{% for n in [1] %}{{ n }}{% endfor %}{{ n }}",
    "{% macro m() %}{{ n }}{% endmacro %}{{ m() }}{% for n in [1] %}{{ m() }}{% endfor %}",
    "{% macro m() %}{{ caller() }}{{ n }}{% endmacro %}{% call m() %}{{ n }}{% endcall %}{% set n = 3 %}",
    "{% for x in [1] %}{% set n = n + 1 %}{{ n }}{% endfor %}{{ n }}",
    "{% if no %}{% for x in [1] %}{{ n }}{% endfor %}{% elif yes %}{{ n }}{% set n = 4 %}{% endif %}{{ n }}",
    "{% set n, s = 1, 2 %}{{ n }}{{ s }}",
    "{% macro n() %}M{% endmacro %}{{ n() }}",
    "{{ n() if n is callable else n }}{% macro n() %}M{% endmacro %}",
    "{% for x in [1] %}{{ n is callable }}{% endfor %}{% macro n() %}M{% endmacro %}",
    "{% generation %}{{ n }}{% endgeneration %}{% set n = 1 %}",
    "{% if yes %}{{ n }}{% endif %}{% set n = 1 %}{{ n }}",
    "{% for x in [1,2] %}{{ range is defined }}{% endfor %}{% set range = 3 %}{{ range }}",
    "{% for x in [1] %}{% set ns = namespace(a=n) %}{{ ns.a }}{% endfor %}{% set n = 2 %}",
    "{% set n = n %}{{ n }}",
    "{% for x in [1] %}{{ n }}{% set n = n %}{{ n }}{% endfor %}",
    "{% for x in [1] %}{% if x == n %}{% set n = 3 %}{% endif %}{{ n }}{% endfor %}",
    # A condition is asked when its turn comes: rounds before may have changed what it depends on.
    "{% set ns = namespace(found=false) %}{% for m in messages if not ns.found %}{{ m.role }}{% if m.role == 'user' %}{% set ns.found = true %}{% endif %}{% endfor %}",
    "{% set ns = namespace(c=0) %}{% for x in numbers if ns.c < 2 %}{{ x }}{{ loop.index }}{% set ns.c = ns.c + 1 %}{% endfor %}{{ ns.c }}",
    "{% set ns = namespace(c=0) %}{% for x in numbers if ns.c < 2 %}{{ x }}{{ loop.last }}{% set ns.c = ns.c + 1 %}{% endfor %}{{ ns.c }}",
    "{% set ns = namespace(c=0) %}{% for x in numbers if ns.c < 2 %}{{ x }}{{ loop.length }}{{ loop.revindex }}{{ loop.nextitem }}{% set ns.c = ns.c + 1 %}{% endfor %}{{ ns.c }}",
    "{% for a, b in [(1, 2), (3,)] if a %}{{ a }}{% break %}{% endfor %}", "{% for a, b in [(1, 2), (3,)] if a %}{{ a }}{{ loop.index }}{% endfor %}", "{% for x in [0, 1, 'a'] if x - 1 %}{{ x }}{% endfor %}",
    "{% set ns = namespace(l=none) %}{% for x in numbers if x > n - 6 %}{% set ns.l = loop %}{% endfor %}{{ ns.l.length }}{{ ns.l.index }}",
    # The line of an end that comes too early is that of the last token; what cannot be read is met when its turn comes.
    "{% if yes %}\n\nx\n\n\n", "{% for x in [1] %}\na\nb{{ x }}\n\nc\n\n", "a\n{{ n n }}\n{{ ` }}", "a\n{{ n }}\n{{ ` }}", "{{ n.$ }}", "{% set none $ = 1 %}", "{{ n is not $ }}\n{% if %}", "{% if n $ %}", "\n{{ [1, 2) }}", "\n{{ n }}\n{% raw %}\nx\n",
    "{% for x in [1] %}{{ x }}{# open\n\n", "{% include 'x' $ %}",
    # Python's own functions take no names.
    "{{ 'a'.replace(old='a', new='b') }}", "{{ 'a b'.split(sep=' ', maxsplit=1) }}", "{{ 'a'.strip(chars='a') }}", "{{ {'a': 1}.get(key='a') }}", "{{ {'a': 1}.get('a', default=2) }}", "{{ 'a'.center(width=3) }}", "{{ 'a\\tb'.expandtabs(tabsize=2) }}",
    "{{ {}|dictsort(by=none) }}", "{{ {}|dictsort(by='x') }}",
    # A block sees the names of the template, not those of the loop around it, unless it is scoped.
    "{% for x in [1, 2] %}{% block a %}{{ x }}-{% endblock %}{% endfor %}", "{% for x in [1, 2] %}{% block a scoped %}{{ x }}-{% endblock %}{% endfor %}", "{% set z = 3 %}{% block a %}{{ z }}{% set z = 4 %}{{ z }}{% endblock %}{{ z }}",
    "{% block a %}{% endblock %}\n{% block a %}{% endblock %}", "{% block a required %} {# c #}{% endblock %}", "{% block a required %}x{% endblock %}", "{% with z = 1 %}{% block a %}{{ z is defined }}{% endblock %}{% endwith %}",
    # A parameter's default is a line of the macro, wherever it was called.
    "{% macro m(a,\n b=1/0) %}\n{{ b }}{% endmacro %}\n\n{{ m(1) }}", "{% macro m(a) %}{{ a }}{{ caller() }}{% endmacro %}\n\n{% call(\nb=zz.y) m(1) %}\n{{ b }}{% endcall %}",
    # A comma wants another name before `in` and `=`, which are none that ends a tuple.
    "{% for a, in [[1]] %}{{ a }}{% endfor %}", "{% set a, = [1] %}{{ a }}", "{% with a, = [1] %}{{ a }}{% endwith %}", "{% for a, in in [[1, 2]] %}{{ a }}{% endfor %}", "{% set (a, ) = [1] %}{{ a }}",
    "{% for a in 1, recursive %}{{ a }}{% endfor %}", "{% for (a, ) in [[1]] %}{{ a }}{% endfor %}",
]
