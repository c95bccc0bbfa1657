cd /tmp/wt/tabular
export PYTHONPATH=/tmp/wt/tabular/.cache/typing EVOLVENT_DATA=/work/shared/data PATH=/work/main/.venv/bin:$PATH OMP_NUM_THREADS=1
