cd /tmp/wt/rubric
export PYTHONPATH=/tmp/wt/rubric/.cache/typing EVOLVENT_DATA=/work/shared/data PATH=/work/main/.venv/bin:$PATH OMP_NUM_THREADS=1
