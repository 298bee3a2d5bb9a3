import java.io.*;
import java.lang.reflect.*;
import java.math.*;
import java.util.*;

/**
 * Values between a Java candidate and its tests, which are two programs in two jails: the calls socket is descriptor 0.
 * A request is the name of a method and its arguments, a reply its result: a tag and a value each. No object of the
 * candidate's own classes is ever made in the tests' program.
 */
public final class Wire {
    private static final DataInputStream IN =
            new DataInputStream(new BufferedInputStream(new FileInputStream(FileDescriptor.in)));
    private static final DataOutputStream OUT =
            new DataOutputStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.in)));
    private static final Map<String, Class<?>> COMPONENTS = new HashMap<>();

    static {
        Class<?>[] classes = {
            int.class, long.class, double.class, float.class, boolean.class, char.class, short.class, byte.class,
            Object.class, String.class, Integer.class, Long.class, Double.class, Float.class, Boolean.class,
            Character.class, List.class,
        };
        for (Class<?> component : classes) {
            COMPONENTS.put(component.getName(), component);
            Class<?> row = component.arrayType();
            COMPONENTS.put(row.getName(), row);
        }
    }

    static int numCalls = 0;

    private Wire() {}

    private static void put(Object value) throws IOException {
        if (value == null) OUT.writeByte('N');
        else if (value instanceof Boolean) { OUT.writeByte('Z'); OUT.writeBoolean((Boolean) value); }
        else if (value instanceof Integer) { OUT.writeByte('I'); OUT.writeInt((Integer) value); }
        else if (value instanceof Long) { OUT.writeByte('J'); OUT.writeLong((Long) value); }
        else if (value instanceof Double) { OUT.writeByte('D'); OUT.writeDouble((Double) value); }
        else if (value instanceof Float) { OUT.writeByte('F'); OUT.writeFloat((Float) value); }
        else if (value instanceof Character) { OUT.writeByte('C'); OUT.writeChar((Character) value); }
        else if (value instanceof Short) { OUT.writeByte('S'); OUT.writeShort((Short) value); }
        else if (value instanceof Byte) { OUT.writeByte('B'); OUT.writeByte((Byte) value); }
        else if (value instanceof BigInteger) { OUT.writeByte('G'); putText(value.toString()); }
        else if (value instanceof BigDecimal) { OUT.writeByte('H'); putText(value.toString()); }
        else if (value instanceof String) { OUT.writeByte('T'); putText((String) value); }
        else if (value instanceof Optional) { OUT.writeByte('O'); put(((Optional<?>) value).orElse(null)); }
        else if (value instanceof Set) { OUT.writeByte('U'); putAll((Set<?>) value); }
        else if (value instanceof Collection) { OUT.writeByte('L'); putAll((Collection<?>) value); }
        else if (value instanceof Map) {
            OUT.writeByte('M');
            List<Object> flat = new ArrayList<>();
            ((Map<?, ?>) value).forEach((key, item) -> { flat.add(key); flat.add(item); });
            putAll(flat);
        } else if (value.getClass().isArray()) {
            OUT.writeByte('A');
            putText(value.getClass().getComponentType().getName());
            List<Object> flat = new ArrayList<>();
            for (int i = 0; i < Array.getLength(value); i++) flat.add(Array.get(value, i));
            putAll(flat);
        } else throw new IllegalArgumentException("a " + value.getClass().getName() + " is not plain data");
    }

    private static void putText(String text) throws IOException {
        OUT.writeInt(text.length());
        OUT.writeChars(text);
    }

    private static void putAll(Collection<?> values) throws IOException {
        OUT.writeInt(values.size());
        for (Object value : values) put(value);
    }

    private static Object get(int depth) throws IOException {
        if (depth > 100) throw new IOException("a value that is nested too deeply");
        switch (IN.readByte()) {
            case 'N': return null;
            case 'Z': return IN.readBoolean();
            case 'I': return IN.readInt();
            case 'J': return IN.readLong();
            case 'D': return IN.readDouble();
            case 'F': return IN.readFloat();
            case 'C': return IN.readChar();
            case 'S': return IN.readShort();
            case 'B': return IN.readByte();
            case 'G': return new BigInteger(getText());
            case 'H': return new BigDecimal(getText());
            case 'T': return getText().intern(); // tests compare with literals, some by ==, which sees identity
            case 'O': return Optional.ofNullable(get(depth + 1));
            case 'U': return new LinkedHashSet<>(getAll(depth));
            case 'L': return getAll(depth);
            case 'M': {
                Map<Object, Object> map = new LinkedHashMap<>();
                Iterator<Object> flat = getAll(depth).iterator();
                while (flat.hasNext()) map.put(flat.next(), flat.next());
                return map;
            }
            case 'A': {
                Class<?> component = COMPONENTS.get(getText());
                if (component == null) throw new IOException("an array of what is not plain data");
                List<Object> flat = getAll(depth);
                Object array = Array.newInstance(component, flat.size());
                for (int i = 0; i < flat.size(); i++) Array.set(array, i, flat.get(i));
                return array;
            }
            default: throw new IOException("a value that is not plain data");
        }
    }

    private static String getName() throws IOException {
        try {
            return getText();
        } catch (EOFException end) {
            System.exit(0); // the tests' program is gone
            return null;
        }
    }

    private static String getText() throws IOException {
        StringBuilder text = new StringBuilder();
        for (int left = IN.readInt(); left > 0; left--) text.append(IN.readChar());
        return text.toString();
    }

    private static List<Object> getAll(int depth) throws IOException {
        List<Object> values = new ArrayList<>();
        for (int left = IN.readInt(); left > 0; left--) values.add(get(depth + 1));
        return values;
    }

    /** Ask the candidate, in the tests' program. */
    @SuppressWarnings("unchecked")
    public static <T> T call(String name, Object... arguments) {
        try {
            putText(name);
            putAll(Arrays.asList(arguments));
            OUT.flush();
            numCalls++;
            return (T) get(0);
        } catch (IOException error) {
            System.err.println("the other side ended: " + error);
            System.exit(70);
            return null;
        }
    }

    /** Answer, in the candidate's program, until the tests' program is gone. */
    public static void main(String[] arguments) throws Throwable {
        Class<?> solution = Class.forName("Solution");
        OUT.writeByte('+');
        OUT.flush();
        Object instance = null;
        while (true) {
            String name = getName();
            Object[] values = getAll(0).toArray();
            for (Method method : solution.getDeclaredMethods()) {
                if (!method.getName().equals(name) || method.getParameterCount() != values.length) continue;
                method.setAccessible(true);
                if (!Modifier.isStatic(method.getModifiers()) && instance == null) instance = make(solution);
                try {
                    put(method.invoke(instance, values));
                } catch (InvocationTargetException error) {
                    error.getCause().printStackTrace();
                    System.exit(1);
                } catch (IllegalArgumentException error) {
                    continue; // another method of this name
                }
                OUT.flush();
                break;
            }
        }
    }

    private static Object make(Class<?> solution) throws Throwable {
        Constructor<?> constructor = solution.getDeclaredConstructor();
        constructor.setAccessible(true);
        return constructor.newInstance();
    }
}
