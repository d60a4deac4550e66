package dev.sluice.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.bench.Target.AtMost;
import java.util.List;
import org.junit.jupiter.api.Test;

class JsonRowsTest {
  @Test
  void aComparedRowHasEveryMember() {
    Row row = new Row("read", new Score(3, 0.5), 0, "C: memcpy", 2, 1.5, new AtMost(2.75));

    assertThat(JsonRows.of(List.of(row)))
        .isEqualTo(
            """
            [{"name":"read","unit":"ns/op","score":3.0,"error":0.5,"comparedTo":"C: memcpy",\
            "ratio":1.5,"target":"<= 2.75x","met":true,"bytesPerOp":0.0}]
            """);
  }

  @Test
  void whatIsNotKnownIsNullOrLeftOut() {
    assertThat(JsonRows.of(List.of(Row.ofC("C: memcpy", new Score(2, 0)))))
        .isEqualTo(
            """
            [{"name":"C: memcpy","unit":"ns/op","score":2.0,"error":0.0,"comparedTo":"","ratio":null}]
            """);
  }
}
