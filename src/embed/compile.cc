// carrel-compile: what the library starts to compile an untrusted module; not for people.
extern "C" int carrel_compile_child(void);

int main() { return carrel_compile_child(); }
