-- What a careful user of PL/Python writes: one kept connection, pages of 100,
-- rows as they come.  The list's address is in the setting bench.base.
CREATE EXTENSION plpython3u;

CREATE FUNCTION pl_python_tasks(first int, want int) RETURNS SETOF task
LANGUAGE plpython3u AS $$
    import http.client, json, urllib.parse
    base = plpy.execute("SELECT current_setting('bench.base') AS base")[0]['base']
    url = urllib.parse.urlsplit(base)
    if GD.get('at') != url.netloc:
        GD['connection'] = http.client.HTTPConnection(url.netloc)
        GD['at'] = url.netloc
    connection = GD['connection']
    index, left = first, want
    while left is None or left > 0:
        limit = 100 if left is None else min(left, 100)
        connection.request('GET', f'{url.path}/tasks?index={index}&limit={limit}')
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            plpy.error(f'status {answer.status}')
        page = json.loads(body)
        for o in page['tasks']:
            yield (o['task_id'], o['task_name'], o['status'], o['created_at'],
                   o['completed_at'], o['train_feature_id'],
                   o['train_feature_name'], o['train_bucket'],
                   o['train_file_path'], o['test_feature_id'],
                   o['test_feature_name'], o['test_bucket'],
                   o['test_file_path'], o['AUROC'], o['line_count'],
                   o['disk_usage'], o['fail_message'])
        index += len(page['tasks'])
        if left is not None:
            left -= len(page['tasks'])
        if len(page['tasks']) < limit or index >= page['total']:
            break
$$;

CREATE FUNCTION pl_python_task(id text) RETURNS SETOF task
LANGUAGE plpython3u AS $$
    import http.client, json, urllib.parse
    base = plpy.execute("SELECT current_setting('bench.base') AS base")[0]['base']
    url = urllib.parse.urlsplit(base)
    if GD.get('at') != url.netloc:
        GD['connection'] = http.client.HTTPConnection(url.netloc)
        GD['at'] = url.netloc
    connection = GD['connection']
    connection.request('GET', f'{url.path}/tasks/{id}')
    answer = connection.getresponse()
    body = answer.read()
    if answer.status == 200:
        o = json.loads(body)
        yield (o['task_id'], o['task_name'], o['status'], o['created_at'],
               o['completed_at'], o['train_feature_id'],
               o['train_feature_name'], o['train_bucket'],
               o['train_file_path'], o['test_feature_id'],
               o['test_feature_name'], o['test_bucket'],
               o['test_file_path'], o['AUROC'], o['line_count'],
               o['disk_usage'], o['fail_message'])
$$;
