def name_of(e): return None
