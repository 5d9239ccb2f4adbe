"""A server for test_http: answers by path, well and badly.

Prints one line "plain <port> tls <port> silent <port> proxy <port> tls-proxy
<port> dir <path>" and ends when its standard input does.  The directory holds
cert.pem, which signs itself and is what the TLS ports show, and other.pem,
which is neither.

    /gzip?n         n bytes, compressed         /large?n    n bytes, plain
    /chunked?n      n bytes in chunks           /huge       claims 10 GB
    /cut-length     fewer bytes than said       /cut-chunk  no last chunk
    /bad-gzip       says gzip, is not           /reset      RST, no answer
    /reset-body     RST in the body             /close      FIN, no answer
    /second-close   FIN for a connection's second request, no answer
    /redirect       302 to /redirected          /garbage    not HTTP
    /early          103 before the answer, with other headers
    /trailer        a header again after the body
    /nothing        204                         /headers    all that we read
    /retry?text     503 with that Retry-After   /flood      endless headers
    /hang           no answer                   /hang-body  half an answer
    /early-reset    103, then RST               /switch     101, then nothing
    /log            the targets so far, one a line
    anything else   the request's head as it came
"""
import gzip
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.parse

log = []


def head(status, *lines):
    return '\r\n'.join(('HTTP/1.1 ' + status,) + lines + ('', '')).encode()


def answer(body, *lines, status='200 OK'):
    return head(status, 'Content-Length: %d' % len(body), *lines) + body


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack('ii', 1, 0))
    return False


def wait_for_end(conn):
    while conn.recv(4096):
        pass
    return False


def serve(conn, request, nth):
    """Answers one request; whether the connection stays."""
    target = request.split(b' ')[1].decode()
    path, _, query = target.partition('?')
    send = conn.sendall
    if path != '/log':
        log.append(target)
    if path == '/log':
        send(answer('\n'.join(log).encode()))
    elif path == '/gzip':
        send(answer(gzip.compress(b'a' * int(query)),
                    'Content-Encoding: gzip'))
    elif path == '/large':
        send(answer(b'a' * int(query)))
    elif path == '/chunked':
        send(head('200 OK', 'Transfer-Encoding: chunked'))
        left = int(query)
        while left > 0:
            size = min(left, 5000)
            send(b'%x\r\n%s\r\n' % (size, b'a' * size))
            left -= size
        send(b'0\r\n\r\n')
    elif path == '/huge':
        send(head('200 OK', 'Content-Length: 10000000000') + b'a')
        return wait_for_end(conn)
    elif path == '/cut-length':
        send(head('200 OK', 'Content-Length: 1000') + b'half')
        return False
    elif path == '/cut-chunk':
        send(head('200 OK', 'Transfer-Encoding: chunked') + b'4\r\nhalf\r\n')
        return False
    elif path == '/bad-gzip':
        send(answer(b'plainly not compressed', 'Content-Encoding: gzip'))
    elif path == '/reset':
        return reset(conn)
    elif path == '/reset-body':
        send(head('200 OK', 'Content-Length: 1000') + b'half')
        return reset(conn)
    elif path == '/close' or path == '/second-close' and nth > 1:
        return False
    elif path == '/redirect':
        send(answer(b'elsewhere', 'Location: /redirected',
                    status='302 Found'))
    elif path == '/garbage':
        send(b'this is not HTTP at all\r\n\r\n')
        return False
    elif path == '/early':
        send(head('103 Early Hints', 'x-ncp-trace-id: early',
                  'x-ncp-apigw-response-origin: EARLY',
                  'Date: Sat, 01 Jan 2000 00:00:00 GMT'))
        send(answer(b'late', 'x-ncp-trace-id: late'))
    elif path == '/early-reset':
        send(head('103 Early Hints', 'x-ncp-trace-id: early'))
        return reset(conn)
    elif path == '/switch':
        send(head('101 Switching Protocols'))
        return wait_for_end(conn)
    elif path == '/trailer':
        send(head('200 OK', 'Transfer-Encoding: chunked',
                  'Trailer: x-ncp-trace-id, Date', 'x-ncp-trace-id: head'))
        send(b'4\r\nbody\r\n0\r\nx-ncp-trace-id: trailer\r\n'
             b'Date: Sat, 01 Jan 2000 00:00:00 GMT\r\n\r\n')
    elif path == '/nothing':
        send(head('204 No Content'))
    elif path == '/headers':
        send(answer(b'{}', 'X-NCP-Trace-ID: trace-1',
                    'x-ncp-apigw-response-origin: ENDPOINT',
                    'Date: Tue, 14 Nov 2023 22:13:20 GMT',
                    status='401 Unauthorized'))
    elif path == '/retry':
        send(answer(b'', 'Retry-After: ' + urllib.parse.unquote(query),
                    status='503 Service Unavailable'))
    elif path == '/flood':
        send(b'HTTP/1.1 200 OK\r\n')
        for i in range(3000):
            send(b'x-%d: %s\r\n' % (i, b'a' * 100))
        send(b'\r\n')
        return wait_for_end(conn)
    elif path == '/hang':
        return wait_for_end(conn)
    elif path == '/hang-body':
        send(head('200 OK', 'Content-Length: 1000') + b'half')
        return wait_for_end(conn)
    else:
        send(answer(request))
    return True


def read_head(conn):
    data = b''
    while b'\r\n\r\n' not in data:
        more = conn.recv(65536)
        data += more
        if not more or data.startswith(b'\x16'):  # TLS where none is spoken
            return None
    return data


def talk(conn, context):
    try:
        if context is not None:
            conn = context.wrap_socket(conn, server_side=True)
        nth = 1
        request = read_head(conn)
        while request is not None and serve(conn, request, nth):
            nth += 1
            request = read_head(conn)
    except (OSError, ValueError):
        pass
    finally:
        conn.close()


def pump(source, target):
    try:
        data = source.recv(65536)
        while data:
            target.sendall(data)
            data = source.recv(65536)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def tunnel(conn, context):
    """A proxy: CONNECT to a port here; port 1 is forbidden."""
    try:
        if context is not None:
            conn = context.wrap_socket(conn, server_side=True)
        request = read_head(conn)
        if request is not None and request.startswith(b'CONNECT '):
            target = request.split(b' ')[1].decode()
            log.append('CONNECT ' + target)
            if b'x-secret' in request:
                log.append('leaked to the proxy')
            port = int(target.rpartition(':')[2])
            if port == 1:
                conn.sendall(answer(b'', status='403 Forbidden'))
                return
            far = socket.create_connection(('127.0.0.1', port))
            conn.sendall(head('200 OK', 'x-ncp-trace-id: proxy',
                              'Date: Sat, 01 Jan 2000 00:00:00 GMT'))
            back = threading.Thread(target=pump, args=(far, conn),
                                    daemon=True)
            back.start()
            pump(conn, far)
            back.join()
            far.close()
    except OSError:
        pass
    finally:
        conn.close()


def hold(conn, _):
    """Takes what comes and says nothing."""
    try:
        if conn.recv(1):
            log.append('silent')
        wait_for_end(conn)
    except OSError:
        pass
    finally:
        conn.close()


def listen(worker, argument):
    listener = socket.create_server(('127.0.0.1', 0))

    def accept():
        while True:
            conn, _ = listener.accept()
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=worker, args=(conn, argument),
                             daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def certify(directory, name):
    """A certificate for 127.0.0.1 (and no name) that signs itself."""
    cert = os.path.join(directory, name + '.pem')
    key = os.path.join(directory, name + '.key')
    subprocess.run(['openssl', 'req', '-x509', '-nodes', '-days', '2',
                    '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
                    '-subj', '/CN=' + name,
                    '-addext', 'subjectAltName=IP:127.0.0.1',
                    '-keyout', key, '-out', cert],
                   check=True, stderr=subprocess.DEVNULL)
    return cert, key


def main():
    directory = tempfile.mkdtemp(prefix='test_http.')
    try:
        cert, key = certify(directory, 'cert')
        certify(directory, 'other')
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        print('plain %d tls %d silent %d proxy %d tls-proxy %d dir %s' % (
            listen(talk, None), listen(talk, context), listen(hold, None),
            listen(tunnel, None), listen(tunnel, context), directory),
            flush=True)
        sys.stdin.read()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == '__main__':
    main()
