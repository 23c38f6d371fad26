"""One case of the tool's tests: tool.py PROGRAM GOLDEN-FOLDER SOURCE-FOLDER CASE. Fails with one line that says what was wrong."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

program, golden, source, case = sys.argv[1:]
kinds = {'sandbox': 'migration', 'vm': 'vm', 'pod': 'pod', 'container': 'linuxcontainer', 'process': 'process', 'network': 'network',
         'scsi': 'scsi'}
work = tempfile.TemporaryDirectory()


def run(wanted, *arguments, stdin=b''):
    """Runs the tool, which must end with this code; gives its two outputs. Nothing is said on stderr when all is well."""
    done = subprocess.run([program, *arguments], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = done.stdout.decode(), done.stderr.decode()
    expect(done.returncode == wanted, f'{arguments} ends with {done.returncode}, not {wanted}: {out[-300:]}{err[-300:]}')
    expect(wanted != 0 or err == '', f'{arguments} says {err}')
    return out, err


def expect(condition, what):
    if not condition:
        sys.exit(f'FAILED {case}: {what}')


def read(name):
    with open(os.path.join(golden, name), 'rb') as file:
        return file.read()


def write(name, content):
    path = os.path.join(work.name, name)
    with open(path, 'wb') as file:
        file.write(content)
    return path


def kind_of(path):
    return os.path.basename(path).split('.')[0].split('_')[0]


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7f) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def encode(value):
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def fields(data):
    """(number, wire type, value) of each field; values are numbers or bytes."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        value, at = varint(data, at)
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        yield tag >> 3, tag & 7, value


def join(parts):
    out = b''
    for number, kind, value in parts:
        out += encode(number << 3 | kind) + (encode(len(value)) + value if kind == 2 else encode(value))
    return out


def payload(any_bytes):
    return dict((number, value) for number, _, value in fields(any_bytes))[2]


def edit(data, path, change):
    """Changes the first field at a path of field numbers: `change` takes its value."""
    parts, done = [], False
    for number, kind, value in fields(data):
        if number == path[0] and not done:
            value = edit(value, path[1:], change) if len(path) > 1 else change(value)
            done = True
        parts.append((number, kind, value))
    expect(done, f'nothing to edit at {path}')
    return join(parts)


envelopes = sorted(glob.glob(os.path.join(golden, '*.bin')))
expect(len(envelopes) > 10, 'the golden files are missing')
sandbox = os.path.join(golden, 'sandbox.bin')


def test_inspect():
    for path in envelopes:
        out, _ = run(0, 'inspect', path)
        expect(out.startswith(kind_of(path)) or kind_of(path) in ('scsi', 'network'), f'{path}: {out[:60]}')
        again, _ = run(0, 'inspect', '-', stdin=open(path, 'rb').read())
        expect(out == again, f'{path}: standard input shows something else')
    out, _ = run(0, 'inspect', sandbox)
    for line in [r'^sandbox, \d+ bytes, 2 pods$', r'^  vm ', r'^    next stdio port 0x[0-9a-f]+, next request id \d+$',
                 r'^    disks: 6 on 4 controllers, 7 reservations$', r'^      0:2 +VirtualDisk ro  \S', r'partition 1 at /run/mounts/scsi/0_2_1',
                 r'\(reserved, not mounted\)', r'^  pod pod-a', r'^    network namespace ', r'^      NIC ', r'^    container web \(web-guest in',
                 r'^      layer disk \d:\d+', r'^      scratch disk \d:\d+ at ', r'^      mount disk \d:\d+', r'^      rootfs /',
                 r'^      process \(init\): pid \d+, wait id \d+, stdin port 0x']:
        expect(re.search(line, out, re.M), f'the tree has no line like {line}:\n{out}')


def test_json():
    for path in envelopes:
        tree = json.loads(run(0, 'inspect', '--json', path)[0])
        kind = kind_of(path)
        expect(tree['kind'] == kind and list(tree) == ['kind', kind], f'{path}: {list(tree)}')
    tree = json.loads(run(0, 'inspect', '--json', sandbox)[0])['sandbox']
    expect(sorted(tree['pods']) == ['pod-a', 'pod-b'], 'the pods')
    expect('VirtualMachine' in tree['vm']['hcs_document'], 'the document is not shown parsed')
    expect(json.loads(run(0, 'inspect', '--json', '-', stdin=read('pod_b.bin'))[0])['kind'] == 'pod', 'standard input')


def test_validate():
    for path in envelopes:
        expect(run(0, 'validate', path)[0] == '', f'{path}: something is said')
        expect(run(0, 'validate', '-', stdin=open(path, 'rb').read())[0] == '', f'{path}: something is said about standard input')
        for cut in (1, len(open(path, 'rb').read()) // 2):
            out, _ = run(1, 'validate', write('cut', open(path, 'rb').read()[:-cut]))
            expect(out.count('\n') >= 1, f'{path}: nothing is said about a cut of {cut}')
    data = read('sandbox.bin')
    data = edit(data, [2, 3, 2, 3], lambda _: b'')             # guest id of the first pod
    data = edit(data, [2, 3, 2, 5, 2, 7, 2, 2, 3], lambda _: 0)  # pid of its first container's init
    data = edit(data, [2, 2, 2, 8], lambda _: 2**64 - 1)       # request floor: -1
    lines = run(1, 'validate', write('three', data))[0].splitlines()
    wanted = ['sandbox.pods[0].containers[0].processes[""].pid: ', 'sandbox.pods[0].gcs_pod_id: is empty', 'sandbox.vm.bridge_next_id: ']
    expect(len(lines) == 3 and all(a.startswith(b) for a, b in zip(lines, wanted)), f'three mistakes give {lines}')
    data = edit(read('sandbox.bin'), [2, 2, 2, 4, 2, 3, 2, 1, 1], lambda path: path + b'x')  # a disk's path: no mistake
    run(0, 'validate', write('fine', data))
    run(2, 'validate', os.path.join(work.name, 'nothing-here'))
    run(2, 'validate', work.name)


def test_bare():
    for path in envelopes:
        bare = write('bare', payload(open(path, 'rb').read()))
        run(0, 'validate', bare)
        kind = json.loads(run(0, 'inspect', '--json', bare)[0])['kind']
        expect(kind == kind_of(path), f'the bare payload of {path} is taken for a {kind}')
        run(0, 'diff', path, bare)
    out, _ = run(1, 'validate', write('other', edit(payload(read('sandbox.bin')), [3, 2, 3], lambda _: b'')))
    expect(out.startswith('sandbox.pods[0].gcs_pod_id: '), f'a mistake in a bare payload gives {out}')
    for content in (b'hello', b'\x0a\x05other\x12\x02\x08\x01', b'\xff' * 40):
        out, _ = run(1, 'validate', write('foreign', content))
        expect(out == 'file: neither an envelope nor a payload of libclcowmig, expected google.protobuf.Any\n', f'{content}: {out}')
        run(1, 'inspect', os.path.join(work.name, 'foreign'))
    expect(run(1, 'validate', write('empty', b''))[0] == 'sandbox: there is no envelope\n', 'an empty file')


def test_diff():
    for path in envelopes:
        expect(run(0, 'diff', path, path)[0] == '', f'{path} differs from itself')
    changed = edit(read('sandbox.bin'), [2, 3, 2, 5, 2, 7, 2, 2, 3], lambda pid: pid + 1)
    out, _ = run(1, 'diff', sandbox, write('changed', changed))
    lines = out.splitlines()
    expect(len(lines) == 2 and lines[0][0] == '-' and lines[1][0] == '+' and '/pid: ' in lines[0], f'a changed pid gives {lines}')
    expect(run(1, 'diff', '-', sandbox, stdin=changed)[0].splitlines() == ['-' + lines[1][1:], '+' + lines[0][1:]], 'the other way round')
    run(1, 'diff', os.path.join(golden, 'pod_a.bin'), os.path.join(golden, 'pod_b.bin'))
    run(2, 'diff', sandbox, os.path.join(work.name, 'nothing-here'))
    run(2, 'diff', write('cut', read('sandbox.bin')[:-1]), sandbox)


def test_trace():
    event = {'name': 'export', 'ph': 'X', 'ts': 9007199254740993, 'dur': 5, 'pid': 9, 'tid': 1, 'args': {'n': 1}}
    one = write('one.json', json.dumps({'traceEvents': [event, dict(event, name='transfer')]}).encode())
    trace = json.loads(run(0, 'trace', one, '-', stdin=json.dumps({'traceEvents': [event]}).encode())[0])
    names = [(entry['name'], entry['pid']) for entry in trace['traceEvents']]
    expect(names == [('process_name', 1), ('export', 1), ('transfer', 1), ('process_name', 2), ('export', 2)], f'the events are {names}')
    expect(trace['traceEvents'][1]['ts'] == 9007199254740993, 'a large number has changed')
    for content in (b'', b'{', b'{}', b'{"traceEvents":{}}', b'{"traceEvents":[{"name":"x"}]}', b'[1]'):
        expect('one.json' not in run(1, 'trace', write('bad', content), one)[1], f'{content} is not what is complained of')
    run(2, 'trace', os.path.join(work.name, 'nothing-here'))
    run(2, 'trace')


def test_usage():
    for arguments in ([], ['nonsense'], ['inspect'], ['inspect', '--json'], ['inspect', sandbox, sandbox], ['validate'], ['diff', sandbox],
                      ['validate', sandbox, sandbox], ['--nonsense']):
        expect('usage: lcowmig' in run(2, *arguments)[1], f'{arguments}: no usage')
    expect(run(0, '--help')[0].startswith('usage: lcowmig'), 'help')
    expect(re.match(r'lcowmig \d+\.\d+\.\d+\n', run(0, '--version')[0]), 'version')


def test_neighbours():
    """Completion and man page know every command."""
    page = open(os.path.join(source, 'lcowmig.1')).read()
    completion = os.path.join(source, 'lcowmig.bash')
    for command in re.findall(r'lcowmig (\w+) ', run(0, '--help')[0]):
        expect(f'lcowmig {command}' in page, f'the man page has no {command}')
        script = f'. {completion}; COMP_WORDS=(lcowmig {command[:2]}); COMP_CWORD=1; _lcowmig; echo "${{COMPREPLY[@]}}"'
        done = subprocess.run(['bash', '-c', script], stdout=subprocess.PIPE, text=True)
        expect(done.stdout.strip() == command, f'{command[:2]} completes to {done.stdout!r}')


globals()['test_' + case]()
