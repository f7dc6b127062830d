"""Public recommenders on a frozen split, for comparison with `attune evaluate --train F --test F`.

    python3 -m venv VENV && VENV/bin/pip install -r bench/peers/requirements.txt
    VENV/bin/python bench/peers/peers.py TRAIN TEST [LIMIT]

Each is fitted on the sessions as a binary session × item matrix and asked for 20 items of the whole catalogue for every
prefix, its own items included. Of each one's settings, those serve that hit most on the training file's last tenth. One
thread, CPU time.
"""
import gzip
import json
import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender
from scipy.sparse import csr_matrix

TOP = 20
CANDIDATES = {
    "implicit ALS": [
        lambda f=f, r=r: AlternatingLeastSquares(
            factors=f, regularization=r, iterations=15, num_threads=1, random_state=7)
        for f, r in ((64, 0.01), (128, 0.1))
    ],
    "implicit BM25": [lambda k=k: BM25Recommender(K=k, num_threads=1) for k in (100, 500)],
    "implicit cosine": [lambda k=k: CosineRecommender(K=k, num_threads=1) for k in (100, 500)],
}


def rows_of(path, limit=None):
    with gzip.open(path, "rt") as lines:
        for n, line in enumerate(lines):
            if limit is not None and n >= limit:
                return
            yield json.loads(line)


def matrix(sessions, places):
    rows, columns = [], []
    for n, items in enumerate(sessions):
        for item in set(items):
            if item in places:
                rows.append(n)
                columns.append(places[item])
    return csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=(len(sessions), len(places)))


def measure(make, train, tests, places):
    model = make()
    started = time.process_time()
    model.fit(train, show_progress=False)
    fit_s = time.process_time() - started
    asked = matrix([test["prefix"] for test in tests], places)
    options = {"recalculate_user": True} if hasattr(model, "factors") else {}
    started = time.process_time()
    ids, _ = model.recommend(np.arange(len(tests)), asked, N=TOP, filter_already_liked_items=False, **options)
    asked_us = (time.process_time() - started) / len(tests) * 1e6
    hits = gain = 0.0
    for test, listed in zip(tests, ids):
        place = np.flatnonzero(listed == places.get(test["target"], -2))
        if len(place) > 0:
            hits += 1
            gain += 1 / (place[0] + 1)
    return hits / len(tests), gain / len(tests), fit_s, asked_us


def main(train_path, test_path, limit=None):
    sessions = [row["items"] for row in rows_of(train_path)]
    tests = [row for row in rows_of(test_path, limit) if row["prefix"]]
    cut = len(sessions) * 9 // 10
    held_out = [{"prefix": s[:-1], "target": s[-1]} for s in sessions[cut:] if len(s) > 1][:5000]
    print(f"{'model':<16} {'HR@20':>7} {'MRR@20':>7} {'fit s':>7} {'us/list':>8}")
    for name, makers in CANDIDATES.items():
        scores = []
        for make in makers:
            places = {item: n for n, item in enumerate(sorted({i for s in sessions[:cut] for i in s}))}
            scores.append(measure(make, matrix(sessions[:cut], places), held_out, places)[0])
        best = makers[int(np.argmax(scores))]
        places = {item: n for n, item in enumerate(sorted({i for s in sessions for i in s}))}
        hr, mrr, fit_s, asked_us = measure(best, matrix(sessions, places), tests, places)
        print(f"{name:<16} {hr:7.4f} {mrr:7.4f} {fit_s:7.1f} {asked_us:8.1f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None)
