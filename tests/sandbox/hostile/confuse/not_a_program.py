"""Not Python."""
int main() { return 0; }
