#!/usr/bin/env python3
"""Write tests/golden/examples.tfrecord with TensorFlow, or read a file of ours with it.

    make_golden_tfrecord.py                 write the golden file (tests/test_tfrecord.c reads it)
    make_golden_tfrecord.py FILE.tfrecord   print what TensorFlow finds in FILE

Needs TensorFlow (2.21.0 made the stored file).
"""
import pathlib
import sys

import numpy as np
import tensorflow as tf

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/examples.tfrecord"


def text(*values):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[v.encode() for v in values]))


def raw(array):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[array.tobytes()]))


def floats(*values):
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))


def integers(*values):
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def example(i):
    ramp = np.arange(8, dtype=np.float32) * (i + 1)
    return tf.train.Example(features=tf.train.Features(feature={
        "audio/inputs": raw(ramp / 8), "audio/targets": raw(-ramp / 8),
        "audio/sample_rate": integers(22050), "audio/length": integers(8),
        "meta/track": text(f"Song {i}"), "meta/subset": text("train"),
        "meta/start_sec": floats(i + 0.5), "meta/end_sec": floats(i + 4.5),
        "empty": tf.train.Feature(), "list": floats(1.0, 2.0, 3.0), "below": integers(-3, 5),
    }))


def show(path):
    for i, record in enumerate(tf.data.TFRecordDataset(path)):
        parsed = tf.train.Example.FromString(record.numpy())
        print(f"record {i}, {len(record.numpy())} bytes")
        for key, feature in sorted(parsed.features.feature.items()):
            kind = feature.WhichOneof("kind")
            values = list(getattr(feature, kind).value) if kind else []
            short = [v if len(v) < 40 else f"{len(v)} bytes" for v in values] if kind == "bytes_list" else values[:8]
            print(f"  {key}: {kind} {short}")


if len(sys.argv) > 1:
    show(sys.argv[1])
else:
    with tf.io.TFRecordWriter(str(GOLDEN)) as writer:
        for i in range(2):
            writer.write(example(i).SerializeToString())
