import sys; sys.path.insert(0,'/tmp/cal/fz/benchmarks/quality')
import cProfile,pstats
from pathlib import Path
import faults
pr=cProfile.Profile(); pr.enable()
faults.train(faults.Planned('low digits','well',777),Path('/tmp/cal/prof/r'))
pr.disable(); pstats.Stats(pr).sort_stats('cumulative').print_stats(45)
