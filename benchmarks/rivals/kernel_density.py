"""Time scikit-learn's exact kernel density: `kernel_density.py VECTORS BANDWIDTH QUERIES` prints JSON.

It is fitted on all vectors and asked for the first `QUERIES` of them, whose time is a share of the time for all.
"""

import json
import sys
import time

import numpy as np
import sklearn  # pyright: ignore[reportMissingImports] -- of another environment
from sklearn.neighbors import KernelDensity  # pyright: ignore[reportMissingImports] -- as above

vectors = np.load(sys.argv[1])
queries = int(sys.argv[3])
since = time.process_time()
fitted = KernelDensity(kernel="gaussian", bandwidth=float(sys.argv[2])).fit(vectors)
built = time.process_time() - since
since = time.process_time()
logs = fitted.score_samples(vectors[:queries])
asked = time.process_time() - since
print(json.dumps({"fit": built, "ask": asked, "version": sklearn.__version__, "logs": logs.tolist()}))
